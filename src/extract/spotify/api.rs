//! What the extractor asks of the API, and what it makes of the answers.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

use super::Object;
use super::config::{Config, Mode};
use super::files::Entity;
use super::shape::{self, Difference, WITHHELD, differences};
use crate::error::{Error, Result};
use crate::extract::http::{Client, Failure, Url, Verdict};
use crate::extract::journal::Journal;
use crate::extract::{Request, work};

/// The API, with what was found out about it.
pub struct Api<'a> {
    pub(super) client: &'a Client,
    pub(super) request: &'a Request<'a>,
    base: &'a Url,
    pub(super) config: &'a Config,
    journal: &'a Journal,
    artists_batch: Endpoint,
    tracks_batch: Endpoint,
    albums_batch: Endpoint,
    pub(super) top_tracks: Endpoint,
    /// Differences from the expected shape that have proved to be no accident.
    accepted: RefCell<BTreeSet<Difference>>,
    /// What was asked for and is not there, by kind.
    skipped: RefCell<BTreeMap<&'static str, Vec<String>>>,
}

/// Whether an endpoint is there for this application: those in development mode lost some in March 2026.
pub(super) struct Endpoint(Cell<Presence>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Unknown,
    There,
    Gone,
}

impl Endpoint {
    fn new(mode: Mode) -> Self {
        Endpoint(Cell::new(match mode {
            Mode::Auto | Mode::Extended => Presence::Unknown,
            Mode::Development => Presence::Gone,
        }))
    }

    pub fn is(&self, presence: Presence) -> bool {
        self.0.get() == presence
    }

    pub fn set(&self, presence: Presence) {
        self.0.set(presence);
    }

    /// Whether a refusal says that the endpoint is not there for this application. What was there before has not gone.
    pub fn is_refused_by(&self, status: u16) -> bool {
        matches!(status, 403 | 404 | 410) && !self.is(Presence::There)
    }
}

/// An answer of another shape is believed when it comes so often in a row.
const BELIEVED_AFTER: u32 = 6;

/// How many ids a request may name.
fn batch_size(entity: Entity) -> usize {
    if entity == Entity::Albums { 20 } else { 50 }
}

impl<'a> Api<'a> {
    pub fn new(
        client: &'a Client,
        base: &'a Url,
        config: &'a Config,
        journal: &'a Journal,
        request: &'a Request<'a>,
    ) -> Self {
        let endpoint = || Endpoint::new(config.mode);
        Api {
            client,
            request,
            base,
            config,
            journal,
            artists_batch: endpoint(),
            tracks_batch: endpoint(),
            albums_batch: endpoint(),
            top_tracks: endpoint(),
            accepted: RefCell::default(),
            skipped: RefCell::default(),
        }
    }

    /// The objects of these ids, by the id that was asked for; the API knows none of those that are missing.
    ///
    /// Batches first, then single requests for what they leave open: an id that a batch answers with null is unknown
    /// only if it is so on its own.
    ///
    /// # Errors
    /// Anything but unknown ids.
    pub async fn objects(&self, entity: Entity, ids: &[String]) -> Result<IndexMap<String, Object>> {
        let batches: Vec<Vec<String>> =
            self.unanswered(entity, ids).chunks(batch_size(entity)).map(<[_]>::to_vec).collect();
        if let Some(first) = batches.first().filter(|_| self.batch(entity).is(Presence::Unknown)) {
            self.ask_for_batch(entity, first).await?;
        }
        if self.batch(entity).is(Presence::There) {
            let rest: Vec<Vec<String>> =
                batches.into_iter().filter(|batch| !self.unanswered(entity, batch).is_empty()).collect();
            work::each(self.request, self.client, entity.name(), &rest, |batch| {
                self.ask_for_batch(entity, batch)
            })
            .await?;
        }
        let rest = self.unanswered(entity, ids);
        if !rest.is_empty() {
            work::each(self.request, self.client, entity.name(), &rest, |id| self.ask_for_one(entity, id))
                .await?;
        }
        let answer = |id: &String| Some((id.clone(), object(self.journal.get(&key(entity, id))?)?));
        Ok(ids.iter().filter_map(answer).collect())
    }

    fn batch(&self, entity: Entity) -> &Endpoint {
        match entity {
            Entity::Artists => &self.artists_batch,
            Entity::Tracks => &self.tracks_batch,
            Entity::Albums => &self.albums_batch,
        }
    }

    fn unanswered(&self, entity: Entity, ids: &[String]) -> Vec<String> {
        ids.iter().filter(|id| !self.journal.has(&key(entity, id))).cloned().collect()
    }

    /// Asks for several objects. What the answer has is in the journal afterwards.
    async fn ask_for_batch(&self, entity: Entity, ids: &[String]) -> Result<()> {
        let endpoint = self.batch(entity);
        if endpoint.is(Presence::Gone) {
            return Ok(());
        }
        let name = entity.name();
        let url = self.url(name, &format!("ids={}{}", ids.join(","), self.market(entity, "&")));
        let mut believed = Belief::default();
        let answer = self.client.get(&url, |answer| match answer[name].as_array() {
            Some(list) if list.len() <= ids.len() => {
                self.judge(entity, list.iter().filter(|item| !item.is_null()), &mut believed)
            }
            _ => Verdict::Again(format!("the answer holds no list of {name}")),
        });
        match answer.await {
            Ok(mut answer) => {
                endpoint.set(Presence::There);
                let list = answer[name].as_array_mut().map(std::mem::take).unwrap_or_default();
                self.keep_batch(entity, ids, &list)
            }
            Err(Failure::Refused { status, message }) if endpoint.is_refused_by(status) => {
                self.lose(endpoint, &format!("{name} in batches"), &message)
            }
            // One of the ids may be what is wrong: each is asked for on its own.
            Err(Failure::Refused { status: 400 | 403 | 404 | 410, .. }) => Ok(()),
            Err(failure) => Err(failure.into_error(&format!("Spotify, {name}"))),
        }
    }

    /// An object belongs to the id it has, or else to that in its place: the API may know it by another one now.
    fn keep_batch(&self, entity: Entity, ids: &[String], list: &[Value]) -> Result<()> {
        for (place, item) in list.iter().enumerate() {
            let own = item["id"].as_str().unwrap_or_default();
            let asked = ids
                .iter()
                .find(|id| *id == own)
                .or_else(|| ids.get(place).filter(|_| list.len() == ids.len()));
            if let Some(asked) = asked.filter(|_| !item.is_null()) {
                self.journal.put(&key(entity, asked), &item.to_string())?;
            }
        }
        Ok(())
    }

    async fn ask_for_one(&self, entity: Entity, id: &str) -> Result<()> {
        let url = self.url(&format!("{}/{id}", entity.name()), &self.market(entity, ""));
        let mut believed = Belief::default();
        let answer =
            self.client.get(&url, |answer| self.judge(entity, [answer].into_iter(), &mut believed)).await;
        let kept = match answer {
            Ok(answer) => answer.to_string(),
            Err(Failure::Refused { status: 400 | 404, .. }) => "null".to_owned(),
            Err(failure) => return Err(failure.into_error(&format!("Spotify, {}/{id}", entity.name()))),
        };
        self.journal.put(&key(entity, id), &kept)
    }

    /// The address of a path below the API's, with a query.
    pub(super) fn url(&self, path: &str, query: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{path}", self.base.path().trim_end_matches('/')));
        url.set_query((!query.is_empty()).then_some(query));
        url
    }

    /// `market=ES`, where the answer depends on it.
    fn market(&self, entity: Entity, before: &str) -> String {
        match entity {
            Entity::Artists => String::new(),
            Entity::Tracks | Entity::Albums => format!("{before}market={}", self.config.market),
        }
    }

    /// Whether objects are what they should be, or are so time and again what they should not.
    pub(super) fn judge<'v>(
        &self,
        entity: Entity,
        objects: impl Iterator<Item = &'v Value> + Clone,
        believed: &mut Belief,
    ) -> Verdict {
        if !objects.clone().all(shape::is_object) {
            return Verdict::Again(format!("one of the {} has no id", entity.name()));
        }
        let mut found: BTreeSet<Difference> =
            objects.flat_map(|object| differences(entity, object)).collect();
        let expected = |difference: &Difference| self.in_development() && is_withheld(difference);
        self.accepted.borrow_mut().extend(found.iter().filter(|it| expected(it)).cloned());
        found.retain(|difference| !self.accepted.borrow().contains(difference));
        let Some(first) = found.first() else { return Verdict::Good };
        let told = format!("{} {}", first.field, first.how);
        if believed.is_proved_by(&found) {
            self.accepted.borrow_mut().extend(found);
            return Verdict::Good;
        }
        Verdict::Again(told)
    }

    /// An answer that is there from before.
    pub(super) fn known(&self, key: &str) -> Option<Value> {
        serde_json::from_str(&self.journal.get(key)?).ok()
    }

    pub(super) fn keep(&self, key: &str, answer: &str) -> Result<()> {
        self.journal.put(key, answer)
    }

    /// An endpoint is not there: the application is in development mode, if it may be.
    pub(super) fn lose(&self, endpoint: &Endpoint, what: &str, said: &str) -> Result<()> {
        if self.config.mode == Mode::Extended {
            return Err(Error::runtime(format!("Spotify refuses {what}: {said}"))
                .help("`mode: auto` of the extractor does without, as apps in development mode must"));
        }
        endpoint.set(Presence::Gone);
        Ok(())
    }

    fn in_development(&self) -> bool {
        let endpoints = [&self.artists_batch, &self.tracks_batch, &self.albums_batch, &self.top_tracks];
        endpoints.into_iter().any(|endpoint| endpoint.is(Presence::Gone))
    }

    /// Remembers what the API does not have.
    pub fn skipped(&self, kind: &'static str, what: &[String]) {
        if !what.is_empty() {
            self.skipped.borrow_mut().entry(kind).or_default().extend_from_slice(what);
        }
    }

    /// What users should know.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.in_development() {
            warnings.push(
                "this Spotify app is in development mode: objects are fetched one by one, and top tracks come from \
                 search and albums, in that order"
                    .to_owned(),
            );
        }
        let accepted = self.accepted.borrow();
        let (absent, changed): (Vec<&Difference>, Vec<&Difference>) =
            accepted.iter().partition(|difference| difference.is_absence());
        if !absent.is_empty() {
            let fields: Vec<&str> = absent.iter().map(|difference| difference.field.as_str()).collect();
            warnings.push(format!("Spotify leaves out {}; they are NULL", fields.join(", ")));
        }
        for difference in changed {
            warnings.push(format!(
                "the field {} of Spotify's answers {}; it was taken as it is",
                difference.field, difference.how
            ));
        }
        for (kind, what) in self.skipped.borrow().iter() {
            warnings
                .push(format!("Spotify does not know these {kind}, which were skipped: {}", what.join(", ")));
        }
        warnings
    }
}

/// How often the same differences have come, to one request.
#[derive(Default)]
pub struct Belief {
    differences: BTreeSet<Difference>,
    times: u32,
}

impl Belief {
    fn is_proved_by(&mut self, found: &BTreeSet<Difference>) -> bool {
        if self.differences != *found {
            (self.differences, self.times) = (found.clone(), 0);
        }
        self.times += 1;
        self.times >= BELIEVED_AFTER
    }
}

fn is_withheld(difference: &Difference) -> bool {
    let field = difference.field.split_once('.').map_or("", |(_, field)| field);
    difference.is_absence() && WITHHELD.contains(&field)
}

/// The key of an object in the journal.
fn key(entity: Entity, id: &str) -> String {
    format!("{}/{id}", entity.name())
}

/// An object from its text; `None` for null.
fn object(json: String) -> Option<Object> {
    #[derive(Deserialize)]
    struct Identified {
        id: String,
    }
    let Identified { id } = serde_json::from_str(&json).ok()?;
    Some(Object { id, json })
}
