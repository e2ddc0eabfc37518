//! One connection, from its first byte to its last.

use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::header::UPGRADE;
use http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

use super::Service;
use super::reply::Reply;
use super::stop::Stop;
use crate::api::answer::{Answer, AnswerBody, Hijack};
use crate::api::body::RequestBody;

/// Answers what comes through a connection, until either side has enough.
pub(super) async fn serve<S: Service>(
    io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    service: S,
    stop: Stop,
) {
    let handed_over = HandedOver::default();
    let answers = service_fn(|request| answer(&service, request, &handed_over, &stop));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(SLOWEST_HEAD)
        .max_buf_size(LONGEST_HEAD)
        // As Go writes them.
        .title_case_headers(true)
        .serve_connection(TokioIo::new(io), answers)
        .with_upgrades();
    let mut connection = pin!(connection);
    let mut stopped = stop.stopped();
    let end = tokio::select! {
        end = connection.as_mut() => end,
        () = stopped.as_mut() => {
            connection.as_mut().graceful_shutdown();
            connection.as_mut().await
        }
    };
    if let Err(error) = end {
        // Clients that go away are no news.
        tracing::debug!(%error, "connection ended");
        return;
    }
    let Some((upgrade, hijack)) = handed_over.take() else { return };
    if let Ok(upgraded) = upgrade.await {
        tokio::select! {
            () = hijack(Box::new(TokioIo::new(upgraded))) => {}
            () = stop.stopped() => {}
        }
    }
}

/// How long the head of a request may take, from the end of the answer before: what dockerd allows.
pub(super) const SLOWEST_HEAD: Duration = Duration::from_secs(5 * 60);

/// Filters are part of it, and may name thousands of networks.
pub(super) const LONGEST_HEAD: usize = 256 * 1024;

/// What becomes of a connection after its last answer.
#[derive(Default)]
struct HandedOver(Mutex<Option<(OnUpgrade, Hijack)>>);

impl HandedOver {
    fn put(&self, upgrade: OnUpgrade, hijack: Hijack) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((upgrade, hijack));
    }

    fn take(&self) -> Option<(OnUpgrade, Hijack)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

async fn answer<S: Service>(
    service: &S,
    mut request: Request<Incoming>,
    handed_over: &HandedOver,
    stop: &Stop,
) -> Result<Response<Reply>, Dropped> {
    let upgrades = request.version() == Version::HTTP_11 && request.headers().contains_key(UPGRADE);
    let upgrade = upgrades.then(|| hyper::upgrade::on(&mut request));
    let answer = service.answer(request.map(RequestBody::Incoming)).await;
    match (answer, upgrade) {
        (Answer { headers, body: AnswerBody::Hijack(hijack), .. }, Some(upgrade)) => {
            handed_over.put(upgrade, hijack);
            Ok(Reply::switching_protocols(headers))
        }
        (answer, _) => {
            let Answer { status, headers, body } = answer.without_upgrade();
            let reply = match body {
                AnswerBody::Bytes(bytes) => Reply::Whole(bytes),
                AnswerBody::Stream(pieces) => Reply::stream(pieces, stop),
                // Nothing is left of a hijack here.
                AnswerBody::Hijack(_) | AnswerBody::Drop => return Err(Dropped),
            };
            Ok(reply.with(status, headers))
        }
    }
}

/// No answer: hyper closes the connection.
#[derive(Debug, thiserror::Error)]
#[error("no answer was to be given")]
struct Dropped;
