//! Secrets stay where they are.

use std::fs;

use rbt::extract::sandbox::server::{Asked, Fault};

use super::crowd::Crowd;
use super::{DAY, FAST, ID, SECRET, project, run, server};
use crate::support::Project;

/// No file of the project and nothing that was printed holds a secret.
fn keeps_secrets(project: &Project, printed: &str) {
    // HTTP Basic sends both in this form.
    let basic = "Y2xpZW50LWlkLTdmM2E6Y2xpZW50LXNlY3JldC1jMGZmZWU=";
    for secret in [ID, SECRET, basic, "sandbox-token-"] {
        assert!(!printed.contains(secret), "{secret} was printed:\n{printed}");
        for file in project.files(".") {
            let text = fs::read(project.path().join(&file)).expect("a file");
            let text = String::from_utf8_lossy(&text);
            assert!(!text.contains(secret), "{secret} is in {file}");
        }
    }
}

#[test]
fn nothing_tells_them_whatever_goes_wrong() {
    type Faults = Box<dyn Fn(&Asked) -> Fault + Send + Sync>;
    let always = |fault: Fault| -> Faults { Box::new(move |_| fault) };
    let in_the_api = |fault: Fault| -> Faults {
        Box::new(move |asked| if asked.target.contains("/v1/") { fault } else { Fault::None })
    };
    let faults = [
        always(Fault::Indiscreet),
        in_the_api(Fault::Indiscreet),
        in_the_api(Fault::Status(403)),
        in_the_api(Fault::Expired),
        in_the_api(Fault::TooMany(100_000)),
        in_the_api(Fault::Reset),
        always(Fault::NotJson),
        always(Fault::Status(401)),
        always(Fault::None),
    ];
    for faults in faults {
        let server = server(Crowd(1), |settings| settings.faults = faults);
        let project = project(&Crowd(1).ids(), &FAST.replace('{', "{attempts: 2, "));
        let text = run(&project, &server, &format!("build --debug --date {DAY}")).text();
        keeps_secrets(&project, &text);
        let text = run(&project, &server, "extract --debug --log-format json").text();
        keeps_secrets(&project, &text);
    }
}

#[test]
fn the_profile_may_name_them() {
    let server = server(Crowd(1), |_| {});
    let project = project(&Crowd(1).ids(), FAST);
    let profile = project.read("profiles.yml")
        + "  extractors:\n    spotify:\n      client_id: \"{{ env_var('MY_ID') }}\"\n      client_secret: \"{{ env_var('MY_SECRET') }}\"\n";
    project.file("profiles.yml", &profile);
    let url = server.url();
    let urls = [("SPOTIFY_API_URL", url.as_str()), ("SPOTIFY_TOKEN_URL", url.as_str())];
    project.run_with("extract", &urls).refused().says("SPOTIFY_CLIENT_ID");
    let env = [urls[0], urls[1], ("MY_ID", ID), ("MY_SECRET", SECRET)];
    let text = project.run_with("extract --debug", &env).success().text();
    keeps_secrets(&project, &text);
}
