//! How the story is told: on a terminal in colour, into a pipe as plain text, or not at all. `NO_COLOR`
//! is respected.

use anstyle::{AnsiColor, Style};
use proto::karibu::gateway::v1::CloudEvent;

const TITLE: Style = Style::new().bold();
const CALL: Style = AnsiColor::Cyan.on_default();
const EVENT: Style = AnsiColor::Yellow.on_default();
const FAINT: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default().bold();

/// Hears the story as it happens.
pub trait Narrator: Send + Sync {
    /// A new act begins.
    fn act(&self, title: &str);
    /// A call was answered; `gist` says in words what came of it.
    fn call(&self, method: &str, gist: &str);
    /// An event arrived.
    fn event(&self, event: &CloudEvent);
    /// Something happens outside of the suite, such as days that pass.
    fn aside(&self, text: &str);
    /// A line of the final view.
    fn view(&self, text: &str);
}

/// Tells on standard output.
#[derive(Debug, Default)]
pub struct Printed;

#[allow(clippy::print_stdout)]
impl Narrator for Printed {
    fn act(&self, title: &str) {
        anstream::println!("\n{TITLE}{title}{TITLE:#}");
    }
    fn call(&self, method: &str, gist: &str) {
        anstream::println!("  {CALL}-> {method:<40}{CALL:#} {gist}");
    }
    fn event(&self, event: &CloudEvent) {
        let attribute = |name: &str| event.attributes.get(name).map_or("", String::as_str);
        let sequence = attribute("sequence").trim_start_matches('0');
        let kind = event.r#type.trim_start_matches("karibu.").trim_end_matches(".v1");
        anstream::println!("  {EVENT}<- {kind:<40}{EVENT:#} {FAINT}#{sequence} of its log{FAINT:#}");
    }
    fn aside(&self, text: &str) {
        anstream::println!("  {FAINT}.. {text}{FAINT:#}");
    }
    fn view(&self, text: &str) {
        anstream::println!("  {GOOD}|{GOOD:#} {text}");
    }
}

/// Tells nothing, for tests.
#[derive(Debug, Default)]
pub struct Silent;

impl Narrator for Silent {
    fn act(&self, _: &str) {}
    fn call(&self, _: &str, _: &str) {}
    fn event(&self, _: &CloudEvent) {}
    fn aside(&self, _: &str) {}
    fn view(&self, _: &str) {}
}
