//! An opening in the loopback: what containers connect to on Docker's bridge reaches a server that only listens
//! on the loopback. It is open while the command runs, to containers and this machine only.

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

use anyhow::{Context, Result};

/// Forwards connections to a free port of `address` to `port` of the loopback; gives where it listens.
///
/// # Errors
/// When it cannot listen there.
pub(crate) fn forward(address: Ipv4Addr, port: u16) -> Result<SocketAddr> {
    let listener = TcpListener::bind((address, 0)).with_context(|| format!("cannot listen on {address}"))?;
    let listens = listener.local_addr()?;
    thread::spawn(move || {
        for incoming in listener.incoming() {
            if let Err(error) = incoming.and_then(|incoming| connect(incoming, port)) {
                eprintln!("a connection of a container failed: {error}");
            }
        }
    });
    Ok(listens)
}

fn connect(incoming: TcpStream, port: u16) -> io::Result<()> {
    let outgoing = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    // Small packets either way; waiting to fill them up costs 40 ms each.
    incoming.set_nodelay(true)?;
    outgoing.set_nodelay(true)?;
    let (incoming_again, outgoing_again) = (incoming.try_clone()?, outgoing.try_clone()?);
    thread::spawn(move || copy(incoming, outgoing));
    thread::spawn(move || copy(outgoing_again, incoming_again));
    Ok(())
}

/// Copies until the one side is done, and tells the other. A container that ends breaks off its connections:
/// that is no failure.
fn copy(mut from: TcpStream, mut to: TcpStream) {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, NotConnected};
    if let Err(error) = io::copy(&mut from, &mut to).and_then(|_| to.shutdown(Shutdown::Write))
        && !matches!(error.kind(), BrokenPipe | ConnectionReset | NotConnected)
    {
        eprintln!("a connection of a container broke off: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn what_comes_in_goes_on_and_back() {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = server.local_addr().unwrap().port();
        let answering = thread::spawn(move || {
            let (mut stream, _) = server.accept().unwrap();
            let mut asked = String::new();
            stream.read_to_string(&mut asked).unwrap();
            stream.write_all(asked.to_uppercase().as_bytes()).unwrap();
        });
        let mut client = TcpStream::connect(forward(Ipv4Addr::LOCALHOST, port).unwrap()).unwrap();
        client.write_all(b"hello").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "HELLO");
        answering.join().unwrap();
    }
}
