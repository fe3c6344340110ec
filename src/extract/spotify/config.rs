//! `extractor: {type: spotify, …}`

use serde::Deserialize;

use super::Entity;
use super::artists::ArtistList;
use crate::error::{Error, Result};
use crate::extract::http::{Limits, Url};
use crate::extract::plan::Declaration;
use crate::extract::raw_files::Format;

/// What an extraction from Spotify is configured with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub artists: ArtistList,
    /// The country for which top tracks and albums are asked: ISO 3166-1, two letters.
    #[serde(default = "default_market")]
    pub market: String,
    #[serde(default = "all_entities")]
    pub entities: Vec<Entity>,
    /// The folder of the raw files; a relative path counts from the project's folder.
    #[serde(default = "default_raw_path")]
    pub raw_path: String,
    #[serde(default)]
    pub format: Format,
    #[serde(default)]
    pub mode: Mode,
    #[serde(default)]
    pub limits: Limits,
    api_url: Option<String>,
    token_url: Option<String>,
}

/// What Spotify allows the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Found out at the first refusal.
    #[default]
    Auto,
    /// Everything.
    Extended,
    /// Neither batches nor top tracks.
    Development,
}

fn default_market() -> String {
    "US".to_owned()
}

fn all_entities() -> Vec<Entity> {
    Entity::ALL.to_vec()
}

fn default_raw_path() -> String {
    "data/raw".to_owned()
}

const API_URL: &str = "https://api.spotify.com/v1";
const TOKEN_URL: &str = "https://accounts.spotify.com/api/token";

impl Config {
    /// Takes in what the environment says, and checks what can be checked.
    ///
    /// # Errors
    /// Names the setting that cannot be used.
    pub fn settle(&mut self, declaration: &Declaration) -> Result<()> {
        if let Some(rate) = declaration.variable("SPOTIFY_RATE_LIMIT") {
            self.limits.set_rate(&rate, "the environment variable SPOTIFY_RATE_LIMIT")?;
        }
        self.limits.check()?;
        if self.market.len() != 2 || !self.market.chars().all(|letter| letter.is_ascii_uppercase()) {
            return Err(Error::parsing(format!("`market: {}` is no country", self.market))
                .help("write the two letters of ISO 3166, such as ES"));
        }
        Ok(())
    }

    /// The address of the API: the environment's, the configuration's, or Spotify's.
    ///
    /// # Errors
    /// What is no address.
    pub fn api_url(&self, declaration: &Declaration) -> Result<Url> {
        let sandbox = declaration.sandbox.map(|sandbox| sandbox.url().to_owned());
        let given =
            sandbox.or_else(|| declaration.variable("SPOTIFY_API_URL")).or_else(|| self.api_url.clone());
        address(given.as_deref().unwrap_or(API_URL), "/v1")
    }

    /// The address of the token endpoint, likewise.
    ///
    /// # Errors
    /// What is no address.
    pub fn token_url(&self, declaration: &Declaration) -> Result<Url> {
        let sandbox = declaration.sandbox.map(|sandbox| sandbox.url().to_owned());
        let given =
            sandbox.or_else(|| declaration.variable("SPOTIFY_TOKEN_URL")).or_else(|| self.token_url.clone());
        address(given.as_deref().unwrap_or(TOKEN_URL), "/api/token")
    }
}

/// An address; one of a server alone gets the path that is usual there.
fn address(text: &str, usual_path: &str) -> Result<Url> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let Some(mut url) = url else {
        // It may hold a password, so it is not repeated.
        return Err(Error::parsing("an address of the extractor is none").help(
            "write SPOTIFY_API_URL, SPOTIFY_TOKEN_URL, `api_url` and `token_url` as https://host/path",
        ));
    };
    if url.path() == "/" {
        url.set_path(usual_path);
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_alone_gets_the_usual_path() {
        let path = |text| address(text, "/v1").map(|url| url.to_string()).map_err(|_| ());
        assert_eq!(path("http://127.0.0.1:80/"), Ok("http://127.0.0.1/v1".to_owned()));
        assert_eq!(path("https://a.b/c"), Ok("https://a.b/c".to_owned()));
        assert!(path("localhost:3000").is_err() && path("").is_err());
    }
}
