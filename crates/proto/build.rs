//! Turns `proto/` into Rust, without protoc: descriptors by protox, messages and services by tonic-prost-build, and from
//! our own options the field checks and the event types. Every step has its own file in `build/`.

#[path = "build/annotations.rs"]
mod annotations;
#[path = "build/event_types.rs"]
mod event_types;
#[path = "build/naming.rs"]
mod naming;
#[path = "build/rules.rs"]
mod rules;
#[path = "build/validation.rs"]
mod validation;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use prost_reflect::DescriptorPool;
use protox::Compiler;
use protox::file::{ChainFileResolver, DescriptorSetFileResolver, GoogleFileResolver, IncludeFileResolver};

/// Packages whose byte fields are on the hot path: they are taken over from the network buffer without a copy.
const ZERO_COPY: [&str; 3] = [".karibu.hop.v1", ".karibu.events.v1", ".karibu.gateway.v1"];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo:rerun-if-changed={}", root.display());
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=build");

    let files = proto_files(&root)?;
    let documented = compile(&root, &files, true)?;
    let lean = compile(&root, &files, false)?;
    fs::write(out.join("documented.binpb"), documented.encode_file_descriptor_set())?;
    fs::write(out.join("lean.binpb"), lean.encode_file_descriptor_set())?;

    generate_messages(&documented)?;
    let pool = DescriptorPool::decode(lean.encode_file_descriptor_set().as_slice())?;
    fs::write(out.join("validation.rs"), validation::generate(&pool)?)?;
    fs::write(out.join("event_types.rs"), event_types::generate(&pool)?)?;
    Ok(())
}

/// Every `.proto` below `root`, relative to it and sorted, so that the output depends on nothing but the content.
fn proto_files(root: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut open = vec![root.to_path_buf()];
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "proto") {
                found.push(path.strip_prefix(root)?.to_path_buf());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Compiles the files with everything they import. `documented` keeps the comments and positions.
fn compile(root: &Path, files: &[PathBuf], documented: bool) -> Result<Compiler, Box<dyn Error>> {
    let mut resolver = ChainFileResolver::new();
    resolver.add(IncludeFileResolver::new(root.to_path_buf()));
    resolver.add(DescriptorSetFileResolver::new(annotations::file_set()));
    resolver.add(GoogleFileResolver::new());
    let mut compiler = Compiler::with_file_resolver(resolver);
    compiler.include_imports(true).include_source_info(documented);
    for file in files {
        compiler.open_file(file)?;
    }
    Ok(compiler)
}

/// Messages, clients and servers of our own packages; the Google ones come from `prost-types` or are only read as
/// descriptors.
fn generate_messages(compiler: &Compiler) -> Result<(), Box<dyn Error>> {
    let mut set = compiler.file_descriptor_set();
    set.file.retain(|file| file.package() != "google.api");
    let mut config = tonic_prost_build::Config::new();
    config.bytes(ZERO_COPY).enable_type_names().include_file("karibu.rs");
    tonic_prost_build::configure()
        .build_transport(false)
        .emit_rerun_if_changed(false)
        .compile_fds_with_config(set, config)?;
    Ok(())
}
