//! A thousand artists, on demand: `cargo test --release thousand -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use rbt::extract::sandbox::server::Fault;

use super::crowd::{self, Crowd};
use super::{DAY, project, run, server};

const LIMIT: (usize, Duration) = (100, Duration::from_secs(1));
const LIMITS: &str = ", limits: {requests: 100, per_seconds: 1}";
/// A token, 20 batches of artists, 1,000 lists of top tracks, 300 batches of albums.
const REQUESTS: usize = 1 + 20 + 1000 + 300;

#[test]
#[ignore = "takes a quarter of a minute"]
fn a_thousand_artists_take_little_longer_than_the_limit_wants() {
    let crowd = Crowd(1000);
    let server = server(crowd, |settings| {
        settings.latency = Duration::from_millis(50);
        settings.limit = Some(LIMIT);
    });
    let project = project(&crowd.ids(), LIMITS);
    let started = Instant::now();
    run(&project, &server, &format!("extract --date {DAY}")).success();
    let took = started.elapsed().as_secs_f64();
    let seen = server.seen();
    let allowed = REQUESTS as f64 / 100.0;
    println!("{} requests in {took:.2} s, {:.3} times what the limit allows", seen.len(), took / allowed);
    assert_eq!(seen.len(), REQUESTS);
    assert!(seen.iter().all(|seen| seen.status == 200));
    assert_eq!(crowd::read(&project.path().join("raw"), DAY), crowd.tables());
}

#[test]
#[ignore = "takes minutes"]
fn a_thousand_artists_with_a_fifth_of_faults() {
    let crowd = Crowd(1000);
    let kinds = [
        Fault::Status(500),
        Fault::TooMany(1),
        Fault::Reset,
        Fault::Truncated,
        Fault::NotJson,
        Fault::Expired,
        Fault::Slow(Duration::from_millis(400)),
        Fault::OtherJson,
    ];
    let server = server(crowd, |settings| {
        settings.latency = Duration::from_millis(10);
        settings.limit = Some(LIMIT);
        // Spread evenly, and otherwise for every request and attempt; the token's too.
        settings.faults = Box::new(move |asked| {
            let dice = asked.number.wrapping_mul(2_654_435_761) >> 7;
            if dice % 5 == 0 { kinds[dice / 5 % kinds.len()] } else { Fault::None }
        });
    });
    let project = project(&crowd.ids(), LIMITS);
    let started = Instant::now();
    run(&project, &server, &format!("extract --date {DAY}")).success();
    println!("{} requests in {:.1} s", server.seen().len(), started.elapsed().as_secs_f64());
    let seen = server.seen();
    assert!(seen.windows(101).all(|group| group[100].at - group[0].at > LIMIT.1), "over the limit");
    assert_eq!(crowd::read(&project.path().join("raw"), DAY), crowd.tables());
}
