//! Settings of the feedback service alone. Secrets come from the environment or the file, not from the command line.

/// Fewest characters of a secret.
const MIN_SECRET_CHARS: usize = 32;

/// Settings of the feedback service.
#[derive(Clone, Default, clap::Args)]
pub struct Config {
    /// Secret under which survey links are made, 32 characters or more; kept in the database if left out. A new one makes
    /// every earlier link useless
    #[arg(long, env = "KARIBU_LINK_SECRET", value_name = "SECRET", hide_env_values = true, value_parser = secret)]
    pub link_secret: Option<String>,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config").field("link_secret", &self.link_secret.as_ref().map(|_| "..")).finish()
    }
}

fn secret(text: &str) -> Result<String, String> {
    let long = text.chars().count() >= MIN_SECRET_CHARS;
    long.then(|| text.to_owned()).ok_or_else(|| format!("must have {MIN_SECRET_CHARS} characters or more"))
}
