//! What the rules look at: the files of the repository (those that git would commit), the packages and their manifests.

use std::path::Path;
use std::process::Command;

use anyhow::Context;
use serde::Deserialize;

use super::allow::Allowances;
use super::source::Source;
use crate::commands;

/// The workspace as the rules see it.
#[derive(Debug, Default)]
pub(crate) struct House {
    pub(crate) files: Vec<File>,
    pub(crate) packages: Vec<Package>,
    /// The dependencies from the registry.
    pub(crate) licences: Vec<Licensed>,
    pub(crate) allowances: Allowances,
}

/// A text file, by its path from the root with `/`.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
    /// For Rust files.
    pub(crate) rust: Option<Source>,
}

/// A package of the workspace.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) manifest_path: String,
    pub(crate) dependencies: Vec<Dependency>,
}

/// What a package depends on.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `None` for a normal one, else `dev` or `build`.
    pub(crate) kind: Option<String>,
}

/// A package from the registry and its licence, as an SPDX expression.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Licensed {
    pub(crate) name: String,
    pub(crate) license: Option<String>,
}

#[derive(Deserialize)]
struct Metadata<T> {
    packages: Vec<T>,
}

/// A package with where it comes from.
#[derive(Deserialize)]
struct Sourced {
    /// `None` for ours.
    source: Option<String>,
    #[serde(flatten)]
    licensed: Licensed,
}

impl House {
    /// Reads the workspace at `root`.
    pub(crate) fn load(root: &Path) -> anyhow::Result<Self> {
        let listed = commands::output(Command::new("git").current_dir(root).args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]))?;
        let listed = String::from_utf8(listed).context("a file name is not UTF-8")?;
        // A file that is deleted but not yet committed is still listed, and a picture is no text: both are skipped.
        let read = |path: &str| std::fs::read_to_string(root.join(path)).ok().map(|text| File::new(path, text));
        let files = listed.split('\0').filter(|path| !path.is_empty()).filter_map(read).collect();
        let metadata =
            commands::output(commands::cargo(root).args(["metadata", "--no-deps", "--format-version", "1"]))?;
        let mut packages = serde_json::from_slice::<Metadata<Package>>(&metadata)?.packages;
        for package in &mut packages {
            package.manifest_path =
                Path::new(&package.manifest_path).strip_prefix(root)?.to_string_lossy().into_owned();
        }
        let resolved = commands::output(commands::cargo(root).args(["metadata", "--format-version", "1"]))?;
        let resolved = serde_json::from_slice::<Metadata<Sourced>>(&resolved)?.packages;
        let licences =
            resolved.into_iter().filter(|package| package.source.is_some()).map(|package| package.licensed).collect();
        let allowances = Allowances::parse(&std::fs::read_to_string(root.join("xtask/tidy.toml"))?)?;
        Ok(Self { files, packages, licences, allowances })
    }

    /// Rust files with their source.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&File, &Source)> {
        self.files.iter().filter_map(|file| Some((file, file.rust.as_ref()?)))
    }

    /// The file at exactly this path.
    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Names of the folders in `services/`.
    pub(crate) fn services(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .files
            .iter()
            .filter_map(|file| file.path.strip_prefix("services/")?.split_once('/').map(|(name, _)| name))
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// A house of the given files, for the tests of the rules.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self {
            files: files.iter().map(|(path, text)| File::new(path, (*text).to_owned())).collect(),
            ..Self::default()
        }
    }

    /// A house of packages: name, folder, normal dependencies, dev-dependencies.
    #[cfg(test)]
    pub(crate) fn of_packages(packages: &[(&str, &str, &[&str], &[&str])]) -> Self {
        let dependency = |kind: Option<&'static str>| {
            move |name: &&str| Dependency { name: (*name).to_owned(), kind: kind.map(str::to_owned) }
        };
        let package = |(name, folder, normal, dev): &(&str, &str, &[&str], &[&str])| Package {
            name: (*name).to_owned(),
            manifest_path: format!("{folder}/Cargo.toml"),
            dependencies: normal.iter().map(dependency(None)).chain(dev.iter().map(dependency(Some("dev")))).collect(),
        };
        Self { packages: packages.iter().map(package).collect(), ..Self::default() }
    }
}

impl File {
    fn new(path: &str, text: String) -> Self {
        let rust = path.ends_with(".rs").then(|| Source::read(&text));
        Self { path: path.to_owned(), text, rust }
    }

    /// Whether all of it is test code: under a `tests` folder, or a `tests.rs`.
    pub(crate) fn is_test(&self) -> bool {
        self.path.split('/').any(|part| part == "tests" || part == "tests.rs" || part == "benches")
    }

    /// Its name without folders.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// The part after `services/<name>/`.
    pub(crate) fn in_service(&self) -> Option<(&str, &str)> {
        self.path.strip_prefix("services/")?.split_once('/')
    }
}
