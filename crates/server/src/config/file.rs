//! The layers of settings: a TOML file becomes the defaults of the command line, so that environment and flags win
//! and one parser checks every value.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{Command, FromArgMatches};

use super::BaseConfig;
use super::document::{Settings, command};

/// The settings of a process.
#[derive(Clone, Debug)]
pub struct Loaded<C> {
    /// Those of every process.
    pub base: BaseConfig,
    /// Those of this service.
    pub own: C,
}

/// Reads the settings of the service `name` from arguments (the first is the program), environment and file.
/// The error prints itself, help and version included.
pub fn load<C: clap::Args>(name: &'static str, arguments: &[OsString]) -> Result<Loaded<C>, clap::Error> {
    let mut command = command::<C>(name);
    if let Some(path) = config_path(&command, arguments) {
        command = with_file(command, name, &path)?;
    }
    let matches = command.try_get_matches_from_mut(arguments)?;
    let Settings { base, own } =
        Settings::<C>::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
    Ok(Loaded { base, own })
}

/// The file that flag or environment names, whatever else is wrong with the arguments.
fn config_path(command: &Command, arguments: &[OsString]) -> Option<PathBuf> {
    let matches = command.clone().ignore_errors(true).try_get_matches_from(arguments).ok()?;
    matches.get_one::<PathBuf>("config").cloned()
}

fn with_file(mut command: Command, name: &str, path: &Path) -> Result<Command, clap::Error> {
    let failed = |command: &mut Command, what: String| {
        command.error(ErrorKind::ValueValidation, format!("{}: {what}", path.display()))
    };
    let text = std::fs::read_to_string(path).map_err(|error| failed(&mut command, error.to_string()))?;
    let file: toml::Table = text.parse().map_err(|error: toml::de::Error| failed(&mut command, error.to_string()))?;
    let own = match file.get(name) {
        Some(toml::Value::Table(own)) => own.clone(),
        _ => toml::Table::new(),
    };
    // Tables of other services stand in a shared file by design; other values must be known.
    let shared = file.into_iter().filter(|(_, value)| !value.is_table());
    for (key, value) in shared.chain(own) {
        let long = key.replace('_', "-");
        let id =
            command.get_arguments().find(|arg| arg.get_long() == Some(long.as_str())).map(|arg| arg.get_id().clone());
        let Some(id) = id.filter(|id| id != "config") else {
            return Err(failed(&mut command, format!("`{key}` is no setting of {name}")));
        };
        let values =
            values(&value).ok_or_else(|| failed(&mut command, format!("`{key}` must be a value or a list")))?;
        command = command.mut_arg(id, |arg| arg.default_values(values));
    }
    Ok(command)
}

/// A TOML value as the texts that a flag would take.
fn values(value: &toml::Value) -> Option<Vec<String>> {
    Some(match value {
        toml::Value::String(text) => vec![text.clone()],
        toml::Value::Integer(_) | toml::Value::Float(_) | toml::Value::Boolean(_) => vec![value.to_string()],
        toml::Value::Array(items) => items.iter().map(values).collect::<Option<Vec<_>>>()?.concat(),
        toml::Value::Table(_) | toml::Value::Datetime(_) => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[derive(Clone, Debug, clap::Args)]
    struct Own {
        /// How sour
        #[arg(long, default_value_t = 3)]
        sourness: u32,
    }

    fn loaded(file: &str, flags: &[&str]) -> Result<Loaded<Own>, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("karibu.toml");
        std::fs::write(&path, file).unwrap();
        let mut arguments = vec![OsString::from("karibu-lemon"), "--config".into(), path.into()];
        arguments.extend(flags.iter().map(OsString::from));
        load("lemon", &arguments).map_err(|error| error.to_string())
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let file = "deadline = '2s'\nsourness = 5\npeer = ['a=http://x:1', 'a=http://y:1']\nreflection = false\n";
        let all = loaded(file, &[]).unwrap();
        assert_eq!((all.base.deadline, all.own.sourness, all.base.reflection), (Duration::from_secs(2), 5, false));
        assert_eq!(all.base.peers.len(), 2);
        assert_eq!(all.base.deadline_cap, Duration::from_secs(10));
        assert_eq!(loaded(file, &["--sourness", "7"]).unwrap().own.sourness, 7);
    }

    #[test]
    fn a_table_speaks_to_its_own_service_only() {
        let file = "[lemon]\nsourness = 8\n[melon]\nsweetness = 1\n";
        assert_eq!(loaded(file, &[]).unwrap().own.sourness, 8);
    }

    #[test]
    fn an_unknown_key_or_a_bad_value_is_refused_by_name() {
        assert!(loaded("sorness = 1", &[]).unwrap_err().contains("`sorness` is no setting of lemon"));
        assert!(loaded("deadline = 'soon'", &[]).unwrap_err().contains("--deadline"));
        assert!(loaded("listen = [", &[]).unwrap_err().contains("karibu.toml"));
    }
}
