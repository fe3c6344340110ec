//! From a thread that waits to requests that do not.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;

use super::Request;
use super::http::Client;
use crate::error::{Error, Result};
use crate::events::Progress;
use crate::interrupt;

/// How often the user's wish to stop is looked at.
const GLANCE: Duration = Duration::from_millis(100);

/// More than may be under way at once, as some of them wait for another attempt.
const IN_WORK: usize = 128;

/// Does asynchronous work on this thread, until it is done or the user stops it.
///
/// # Errors
/// Those of the work; that it was stopped.
pub fn run<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::runtime(format!("the system gives no timers or sockets: {error}")))?;
    runtime.block_on(async {
        let mut work = std::pin::pin!(work);
        loop {
            if let Ok(done) = tokio::time::timeout(GLANCE, &mut work).await {
                return done;
            }
            interrupt::check().map_err(|error| error.help("run it again: it goes on with what it has"))?;
        }
    })
}

/// Does something with each item, many at once, and gives what came of them in the order of the items. The first error
/// ends it.
pub async fn each<'i, I, T, F>(
    request: &Request<'_>,
    client: &Client,
    step: &'static str,
    items: &'i [I],
    work: impl Fn(&'i I) -> F,
) -> Result<Vec<T>>
where
    F: Future<Output = Result<T>>,
{
    let total = items.len();
    let tell = |done| (request.progress)(Progress { step, done, total, trouble: client.trouble() });
    tell(0);
    let mut done: Vec<(usize, T)> = Vec::with_capacity(total);
    let numbered = items.iter().enumerate().map(|(index, item)| {
        let result = work(item);
        async move { result.await.map(|result| (index, result)) }
    });
    let mut results = stream::iter(numbered).buffer_unordered(IN_WORK);
    while let Some(result) = results.next().await {
        done.push(result?);
        tell(done.len());
    }
    done.sort_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}
