//! Whom a function trusts when it calls AWS.
//!
//! AWS's services prove themselves by Amazon's own roots. A system's store has those among some 150, and to read them all was
//! three quarters of what a function did before it had answered its first request (docs/decisions/0071).

use std::collections::BTreeMap;
use std::error::Error;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// Amazon's five roots, as <https://www.amazontrust.com/repository/> has them.
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon_roots.pem");

/// What names a store of the caller's own, for a proxy or an emulator that speaks TLS. The names are those of OpenSSL.
const OWN_STORE: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Amazon's roots; the system's where somebody has named a store. AWS in China has an authority of its own.
///
/// # Errors
/// When there is none in the store that counts.
pub(super) fn of(
    variables: &BTreeMap<String, String>,
) -> Result<RootCertStore, Box<dyn Error + Send + Sync>> {
    if is_of_system(variables) { of_system() } else { of_amazon() }
}

fn is_of_system(variables: &BTreeMap<String, String>) -> bool {
    let is_china = variables.get("AWS_REGION").is_some_and(|region| region.starts_with("cn-"));
    let has_own = OWN_STORE.iter().any(|name| variables.get(*name).is_some_and(|value| !value.is_empty()));
    is_china || has_own
}

pub(super) fn of_amazon() -> Result<RootCertStore, Box<dyn Error + Send + Sync>> {
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(AMAZON_ROOTS) {
        roots.add(root?)?;
    }
    Ok(roots)
}

/// Those of the store that `SSL_CERT_FILE` or `SSL_CERT_DIR` names, or of the system's.
fn of_system() -> Result<RootCertStore, Box<dyn Error + Send + Sync>> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // A store may have old certificates that nobody can use any more.
    let (usable, _) = roots.add_parsable_certificates(found.certs);
    match found.errors.into_iter().next() {
        Some(error) if usable == 0 => Err(error.into()),
        None if usable == 0 => Err("the store has no certificate".into()),
        _ => Ok(roots),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use x509_parser::parse_x509_certificate;

    use super::*;

    /// A function that is deployed goes on with its roots for as long as nobody deploys it anew.
    const LEFT_AT_LEAST: Duration = Duration::from_hours(24 * 365 * 5);

    fn roots() -> Vec<CertificateDer<'static>> {
        CertificateDer::pem_slice_iter(AMAZON_ROOTS).collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn each_root_is_one_that_browsers_trust_and_is_good_for_years() {
        let trusted = webpki_root_certs::TLS_SERVER_ROOT_CERTS;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let roots = roots();
        assert_eq!(roots.len(), 5);
        for root in roots {
            let (_, certificate) = parse_x509_certificate(&root).unwrap();
            let name = certificate.subject().to_string();
            assert!(name.contains("Amazon") || name.contains("Starfield Services"), "{name}");
            assert!(trusted.contains(&root), "{name} is trusted no more: see amazontrust.com/repository");
            let ends = u64::try_from(certificate.validity().not_after.timestamp()).unwrap();
            assert!(
                ends > (now + LEFT_AT_LEAST).as_secs(),
                "{name} ends soon: see amazontrust.com/repository"
            );
        }
    }

    #[test]
    fn whoever_names_a_store_and_whoever_is_in_china_trusts_the_system() {
        for (variables, is_system) in [
            (&[("AWS_REGION", "eu-north-1")][..], false),
            (&[("AWS_REGION", "eu-north-1"), ("SSL_CERT_FILE", "")], false),
            (&[("AWS_REGION", "eu-north-1"), ("SSL_CERT_FILE", "/a.pem")], true),
            (&[("AWS_REGION", "eu-north-1"), ("SSL_CERT_DIR", "/a")], true),
            (&[("AWS_REGION", "cn-north-1")], true),
        ] {
            let named = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            assert_eq!(is_of_system(&named.collect()), is_system, "{variables:?}");
        }
    }
}
