//! `GET /events`.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::StatusCode;
use jiff::Timestamp;
use tokio::time::Instant;

use self::filter::EventFilter;
use super::answer::{Answer, AnswerBody};
use super::{Api, Call, Outcome};
use crate::Profile;
use crate::core::event::Event;
use crate::core::refusal::Refusal;
use crate::events::{EventBus, Subscription};

mod filter;
mod time;

/// What Podman puts before what is wrong with filters.
const FILTERS: &str = "failed to parse event filters: ";

/// `GET /events`
pub(super) fn answer(api: &Api, call: &Call) -> Outcome {
    let now = Timestamp::now();
    let query = EventsQuery::parse(|name| call.query.text(name), now, api.engine.profile).map_err(
        |(status, message)| match message.split_once(FILTERS) {
            Some(("", cause)) => Refusal::caused(status, FILTERS.trim_end_matches(": "), cause),
            _ => Refusal::Worded(status, message),
        },
    )?;
    let mut answer = Answer::typed(StatusCode::OK, "application/json", Bytes::new());
    answer.body = AnswerBody::Stream(Box::pin(stream(&api.engine.events, query, now)));
    Ok(answer)
}

/// What a client asks for.
#[derive(Clone, Debug)]
pub(crate) struct EventsQuery {
    /// Nanoseconds since 1970, as `until`.
    since: Option<i128>,
    until: Option<i128>,
    filter: EventFilter,
}

impl EventsQuery {
    /// Reads the parameters in Docker's order, so that of several mistakes the same one is named.
    ///
    /// A parameter that is not there is empty. The error is the status and the words.
    pub(crate) fn parse<'a>(
        parameter: impl Fn(&str) -> &'a str,
        now: Timestamp,
        profile: Profile,
    ) -> Result<Self, (u16, String)> {
        let (since, until, filters) =
            (parameter("since"), parameter("until"), parameter("filters"));
        if profile == Profile::Podman5 {
            let filter = EventFilter::podman(filters)?;
            let since = time::podman(since, time::Side::Since, now)?;
            // Nothing happened before 1970: an end there is the end of all of it, unlike in Docker.
            let until = time::podman(until, time::Side::Until, now)?.map(|until| until.max(1));
            return Ok(Self { since, until, filter });
        }
        let since_time = time::docker(since)?;
        let until_time = time::docker(until)?;
        if let (Some(from), Some(to)) = (since_time, until_time)
            && to < from
        {
            let words = format!("`since` time ({since}) cannot be after `until` time ({until})");
            return Err((400, words));
        }
        let filter = EventFilter::docker(filters)?;
        Ok(Self { since: since_time, until: until_time, filter })
    }

    /// Without a time nothing of the past is asked for.
    fn wants_past(&self) -> bool {
        self.since.is_some() || self.until.is_some()
    }

    /// Both ends belong to what is asked for. An `until` of 1970 or before is no end for the past, as in Docker.
    fn wants_of_past(&self, event: &Event) -> bool {
        let time = i128::from(event.time_nano);
        self.since.is_none_or(|since| since <= time)
            && self.until.is_none_or(|until| until <= 0 || time <= until)
            && self.filter.matches(event)
    }

    fn is_over_at(&self, time: i128) -> bool {
        self.until.is_some_and(|until| until < time)
    }
}

/// The lines a client gets: the past it asks for, then what happens, until its end of time or its own.
///
/// The listener takes its place at once and not at the first line, so that a client that has seen the answer's head misses
/// nothing. A client that reads too slowly sees the stream end.
pub(crate) fn stream(
    bus: &EventBus,
    query: EventsQuery,
    now: Timestamp,
) -> impl Stream<Item = Bytes> + Send + use<> {
    let now = now.as_nanosecond();
    let (mut past, subscription) =
        if query.wants_past() { bus.subscribe() } else { (Vec::new(), bus.listen()) };
    past.retain(|event| query.wants_of_past(event));
    let live = (!query.is_over_at(now)).then_some(subscription);
    let end = query.until.and_then(|until| instant_after(until - now));
    let feed = Feed { pending: past.into(), live, end, query };
    Lines { next: Some(Box::pin(feed.next())) }
}

/// The moment so many nanoseconds from now; none if no clock reaches that far.
fn instant_after(nanoseconds: i128) -> Option<Instant> {
    let nanoseconds = u64::try_from(nanoseconds.max(0)).ok()?;
    Instant::now().checked_add(Duration::from_nanos(nanoseconds))
}

struct Feed {
    pending: VecDeque<Arc<Event>>,
    live: Option<Subscription>,
    end: Option<Instant>,
    query: EventsQuery,
}

impl Feed {
    /// The next line and what gives the one after it.
    async fn next(mut self) -> Option<(Bytes, Self)> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Some((event.line(), self));
            }
            let subscription = self.live.as_mut()?;
            let next = subscription.next();
            // What was published before the end is told before the end: the future is asked before the clock.
            let batch = match self.end {
                Some(end) => tokio::time::timeout_at(end, next).await.ok()??,
                None => next.await?,
            };
            let query = &self.query;
            let late = |event: &Arc<Event>| query.is_over_at(event.time_nano.into());
            if batch.iter().any(late) {
                self.live = None;
            }
            let wanted = batch.iter().filter(|event| !late(event) && query.filter.matches(event));
            self.pending.extend(wanted.cloned());
        }
    }
}

type NextLine = Pin<Box<dyn Future<Output = Option<(Bytes, Feed)>> + Send>>;

struct Lines {
    next: Option<NextLine>,
}

impl Stream for Lines {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let Some(next) = self.next.as_mut() else { return Poll::Ready(None) };
        let Poll::Ready(item) = next.as_mut().poll(context) else { return Poll::Pending };
        let (line, feed) = item.unzip();
        self.next = feed.map(|feed| Box::pin(feed.next()) as NextLine);
        Poll::Ready(line)
    }
}

#[cfg(test)]
mod tests;
