//! Packs what browsers load (web/), so that nothing is compressed when it is asked for.
//!
//! Which files there are follows from web/routes.json: those of its folders with a media type. `{build}` in a page is
//! replaced by a hash of all of them, under which they are kept for good.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use sha2::{Digest, Sha256};

fn main() -> Result<(), Box<dyn Error>> {
    let web = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("../../web");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    println!("cargo::rerun-if-changed={}", web.join("routes.json").display());
    let routes: Value = serde_json::from_slice(&fs::read(web.join("routes.json"))?)?;
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(|text| Some(text.as_str()?.to_owned())).collect()
    };
    let folders: BTreeSet<String> =
        routes["files"].as_array().into_iter().flatten().flat_map(|files| texts(&files["folders"])).collect();
    let mut files = BTreeMap::new();
    for folder in folders {
        println!("cargo::rerun-if-changed={}", web.join(&folder).display());
        read(&web, &folder, &routes["media_types"], &mut files)?;
    }
    let mut build = Sha256::new();
    for (name, (_, bytes)) in &files {
        build.update(name.as_bytes());
        build.update([0]);
        build.update(bytes);
    }
    let build = hex(&build.finalize()[..6]);
    let mut table = format!("const BUILD: &str = {build:?};\nstatic FILES: &[File] = &[\n");
    for (number, (name, (media_type, bytes))) in files.into_iter().enumerate() {
        let bytes = if media_type.starts_with("text/html") {
            String::from_utf8(bytes)?.replace("{build}", &build).into_bytes()
        } else {
            bytes
        };
        let tag = hex(&Sha256::digest(&bytes)[..8]);
        write!(table, "File {{ name: {name:?}, media_type: {media_type:?}")?;
        for (field, bytes) in [("gzip", gzip(&bytes)?), ("brotli", brotli(&bytes)?), ("plain", bytes)] {
            fs::write(out.join(format!("{number}.{field}")), bytes)?;
            let bytes = format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{number}.{field}\"))");
            let tag = format!("\"{tag}-{field}\"");
            write!(table, ", {field}: Form {{ tag: {tag:?}, bytes: {bytes} }}")?;
        }
        table.push_str(" },\n");
    }
    table.push_str("];\n");
    fs::write(out.join("files.rs"), table)?;
    Ok(())
}

/// The files of a folder and of those in it, by their names from `web` on, each with its media type.
fn read(
    web: &Path,
    folder: &str,
    media_types: &Value,
    files: &mut BTreeMap<String, (String, Vec<u8>)>,
) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(web.join(folder))? {
        let entry = entry?;
        let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            read(web, &name, media_types, files)?;
            continue;
        }
        let extension =
            name.rsplit_once('.').map(|(_, extension)| format!(".{extension}")).unwrap_or_default();
        if let Some(media_type) = media_types[&extension].as_str() {
            files.insert(name, (media_type.to_owned(), fs::read(entry.path())?));
        }
    }
    Ok(())
}

fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(bytes)?;
    packed.finish()
}

fn brotli(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let parameters = brotli::enc::BrotliEncoderParams { quality: 11, ..Default::default() };
    let mut packed = Vec::new();
    brotli::BrotliCompress(&mut &*bytes, &mut packed, &parameters)?;
    Ok(packed)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _: std::fmt::Result = write!(text, "{byte:02x}");
        text
    })
}
