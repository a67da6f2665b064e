//! Settings of the organization service alone. Secrets come from the environment or the file, not from the command line.

/// Settings of the organization service.
#[derive(Clone, Debug, clap::Args)]
pub struct Config {
    /// Whole text of an administrator's API key that is registered at start if no key was ever made
    #[arg(long, env = "KARIBU_BOOTSTRAP_KEY", value_name = "KEY", hide_env_values = true)]
    pub bootstrap_key: Option<String>,
    /// Word that stands in the text of new API keys, such as live or test: 1 to 12 small letters and digits
    #[arg(long, env = "KARIBU_KEY_ENVIRONMENT", value_name = "WORD", default_value = "live", value_parser = environment)]
    pub key_environment: String,
}

impl Default for Config {
    fn default() -> Self {
        Self { bootstrap_key: None, key_environment: "live".to_owned() }
    }
}

fn environment(word: &str) -> Result<String, String> {
    let fits = (1..=12).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    fits.then(|| word.to_owned()).ok_or_else(|| "must be 1 to 12 small letters and digits".to_owned())
}
