//! What comes with a request.

use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use http_body_util::BodyExt as _;

/// The body of a request: whole already (a client in the same process), or on its way.
pub(crate) enum RequestBody {
    Whole(Bytes),
    Incoming(hyper::body::Incoming),
    /// It could not be read.
    Failed(BodyError),
}

/// Why a body could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    /// It is longer than the reader takes.
    #[error("http: request body too large")]
    TooLarge,
    /// The client broke off, or did not keep to the protocol.
    #[error("{0}")]
    Broken(#[from] hyper::Error),
}

impl RequestBody {
    /// The same, read already where it is short: who still writes when the answer comes would not read it. Go reads as much.
    pub(crate) async fn read_if_short(self) -> Self {
        const SHORT: usize = 256 << 10;
        let length = match &self {
            Self::Incoming(incoming) => incoming.size_hint().exact(),
            Self::Whole(_) | Self::Failed(_) => None,
        };
        if !length.is_some_and(|length| (1..=SHORT as u64).contains(&length)) {
            return self;
        }
        match self.collect(SHORT).await {
            Ok(body) => Self::Whole(body),
            Err(why) => Self::Failed(why),
        }
    }

    /// All of it, if it is no longer than the limit.
    pub(crate) async fn collect(mut self, limit: usize) -> Result<Bytes, BodyError> {
        if self.announced() > limit as u64 {
            return Err(BodyError::TooLarge);
        }
        let Some(first) = self.next_chunk().await.transpose()? else {
            return Ok(Bytes::new());
        };
        let mut length = first.len();
        let mut rest = Vec::new();
        while length <= limit
            && let Some(chunk) = self.next_chunk().await.transpose()?
        {
            length += chunk.len();
            rest.push(chunk);
        }
        if length > limit {
            return Err(BodyError::TooLarge);
        }
        if rest.is_empty() {
            return Ok(first);
        }
        let mut whole = BytesMut::with_capacity(length);
        whole.extend_from_slice(&first);
        for chunk in rest {
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    }

    /// The next piece, which is never empty; none at the end.
    pub(crate) async fn next_chunk(&mut self) -> Option<Result<Bytes, BodyError>> {
        match self {
            Self::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                (!bytes.is_empty()).then_some(Ok(bytes))
            }
            Self::Failed(_) => match std::mem::replace(self, Self::Whole(Bytes::new())) {
                Self::Failed(why) => Some(Err(why)),
                Self::Whole(_) | Self::Incoming(_) => None,
            },
            Self::Incoming(incoming) => loop {
                match incoming.frame().await? {
                    Ok(frame) => match frame.into_data() {
                        Ok(data) if !data.is_empty() => return Some(Ok(data)),
                        // Nothing, or trailers, which nobody asked for.
                        Ok(_) | Err(_) => {}
                    },
                    Err(error) => return Some(Err(error.into())),
                }
            },
        }
    }

    /// The least that it will have.
    fn announced(&self) -> u64 {
        match self {
            Self::Whole(bytes) => bytes.len() as u64,
            Self::Incoming(incoming) => incoming.size_hint().lower(),
            Self::Failed(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_whole_body_is_one_piece() {
        let mut body = RequestBody::Whole("ab".into());
        assert_eq!(body.next_chunk().await.unwrap().unwrap(), "ab");
        assert!(body.next_chunk().await.is_none());
        assert!(RequestBody::Whole(Bytes::new()).next_chunk().await.is_none());
    }

    #[tokio::test]
    async fn a_body_that_could_not_be_read_says_so_once() {
        let mut body = RequestBody::Failed(BodyError::TooLarge).read_if_short().await;
        assert!(body.next_chunk().await.unwrap().is_err());
        assert!(body.next_chunk().await.is_none());
        assert!(RequestBody::Failed(BodyError::TooLarge).collect(9).await.is_err());
    }

    #[tokio::test]
    async fn a_body_may_have_as_much_as_the_limit() {
        assert_eq!(RequestBody::Whole("ab".into()).collect(2).await.unwrap(), "ab");
        let error = RequestBody::Whole("abc".into()).collect(2).await.unwrap_err();
        assert_eq!(error.to_string(), "http: request body too large");
        assert_eq!(RequestBody::Whole(Bytes::new()).collect(0).await.unwrap(), "");
    }
}
