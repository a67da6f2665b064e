//! `docs/configuration.md` lists every setting of every process, as the code has them.

use server::config::{NoConfig, command, own_command, settings_table};

/// Replaces what stands between the marks of `section`.
fn with_section(document: &str, section: &str, text: &str) -> String {
    let (begin, end) = (format!("<!-- {section}: begin -->\n"), format!("<!-- {section}: end -->"));
    let (before, rest) = document.split_once(&begin).unwrap_or_else(|| panic!("no mark of {section}"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("no end mark of {section}"));
    format!("{before}{begin}{text}{end}{after}")
}

#[test]
fn the_documented_settings_are_those_of_the_code() {
    let path = testkit::workspace_root().join("docs/configuration.md");
    let document = std::fs::read_to_string(&path).unwrap();
    let sections = [
        ("every process", command::<NoConfig>("anything")),
        (organization::NAME, own_command::<organization::Config>()),
        ("customer-profile", own_command::<customer_profile::Config>()),
        (ticketing::NAME, own_command::<ticketing::Config>()),
        (feedback::NAME, own_command::<feedback::Config>()),
        (loyalty::NAME, own_command::<loyalty::Config>()),
        (gateway::NAME, own_command::<gateway::Config>()),
    ];
    let mut current = document.clone();
    for (section, settings) in sections {
        let any = settings.get_arguments().any(|arg| !arg.is_hide_set());
        let text = if any { settings_table(&settings) } else { "It has no settings of its own.\n".to_owned() };
        current = with_section(&current, section, &text);
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        return std::fs::write(&path, &current).unwrap();
    }
    assert!(
        document == current,
        "docs/configuration.md is old. This writes it:\n    UPDATE_DOCS=1 cargo nextest run -p karibu-tests configuration"
    );
}
