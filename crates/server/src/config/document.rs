//! The list of settings as the command line and as a table for the documentation: one source for both.

use clap::{Command, CommandFactory, Parser};

use super::BaseConfig;

/// Everything that one process is told.
#[derive(Parser)]
pub(super) struct Settings<C: clap::Args> {
    #[command(flatten)]
    pub(super) base: BaseConfig,
    #[command(flatten)]
    pub(super) own: C,
}

/// The command line of the service `name`.
pub fn command<C: clap::Args>(name: &'static str) -> Command {
    Settings::<C>::command()
        .name(format!("karibu-{name}"))
        .bin_name(format!("karibu-{name}"))
        .about(format!("Karibu: the {name} service"))
        .version(env!("CARGO_PKG_VERSION"))
        .after_help("Every setting may stand in the file given by --config too. A flag wins over the environment, the environment over the file.")
}

/// The settings of a command as a Markdown table; hidden ones are left out.
pub fn settings_table(command: &Command) -> String {
    let mut table = String::from("| flag | environment | default | meaning |\n|---|---|---|---|\n");
    for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
        let Some(long) = arg.get_long().filter(|long| !matches!(*long, "help" | "version")) else { continue };
        let value = arg.get_value_names().and_then(|names| names.first());
        let flag = value.map_or_else(|| format!("`--{long}`"), |value| format!("`--{long} {value}`"));
        let environment = arg.get_env().map_or_else(String::new, |name| format!("`{}`", name.to_string_lossy()));
        let default: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
        let default = if default.is_empty() { String::new() } else { format!("`{}`", default.join(",")) };
        let meaning = arg.get_help().map(ToString::to_string).unwrap_or_default().replace('|', "\\|");
        table.push_str(&format!("| {flag} | {environment} | {default} | {meaning} |\n"));
    }
    table
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::NoConfig;
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command::<NoConfig>("anything").debug_assert();
    }

    /// `UPDATE_DOCS=1 cargo test -p karibu-server` writes it anew.
    #[test]
    fn the_documented_settings_are_those_of_the_code() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
        let (begin, end) = ("<!-- every process: begin -->\n", "<!-- every process: end -->");
        let document = std::fs::read_to_string(path).unwrap();
        let (before, rest) = document.split_once(begin).unwrap();
        let (now, after) = rest.split_once(end).unwrap();
        let table = settings_table(&command::<NoConfig>("anything"));
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, format!("{before}{begin}{table}{end}{after}")).unwrap();
        } else {
            assert_eq!(now, table, "docs/configuration.md is old: UPDATE_DOCS=1 cargo test -p karibu-server writes it");
        }
    }
}
