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

/// The settings that a service has beside those of every process.
pub fn own_command<C: clap::Args>() -> Command {
    C::augment_args(Command::new("own"))
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
mod tests {
    use super::super::NoConfig;
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command::<NoConfig>("anything").debug_assert();
    }
}
