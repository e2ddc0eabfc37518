//! Faults that a test asks for: the next calls that match fail, wait, or lose their connection.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{Method, StatusCode};

/// A fault to come. What it does is chosen by its constructor; which calls it meets, and how many, by the rest.
///
/// ```
/// use docknet_engine::{Engine, Fault};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Engine::memory().start().await?;
/// let networks = engine.client().networks();
/// engine.faults().add(Fault::refuse(500, "no space left on device").on("POST", "/networks/create"));
///
/// let error = networks.create("backend").await.unwrap_err();
/// assert_eq!(error.message(), "no space left on device");
/// // Once is enough, unless it is asked for more often.
/// networks.create("backend").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Fault {
    what: What,
    method: Option<String>,
    path: Option<String>,
    after: u32,
    times: Option<u32>,
}

/// What a fault does to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Delay(Duration),
    /// The connection is lost once the call was carried out.
    DropAfter,
    /// The connection is lost and nothing is done.
    DropBefore,
    Exhaust,
    Refuse(StatusCode, String),
}

impl Fault {
    /// The call is not carried out: the answer has this status and this message. A status that is none becomes 500.
    pub fn refuse(status: u16, message: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::of(What::Refuse(status, message.into()))
    }

    /// The call waits for so long before it is carried out.
    pub fn delay(time: Duration) -> Self {
        Self::of(What::Delay(time))
    }

    /// The connection is closed without an answer, and the call is not carried out.
    pub fn drop_before() -> Self {
        Self::of(What::DropBefore)
    }

    /// The call is carried out, and the connection is closed without an answer.
    pub fn drop_after() -> Self {
        Self::of(What::DropAfter)
    }

    /// There are no addresses: a network that is to be created finds no subnet, and a container that is connected or
    /// started no address. The answer has the engine's own words.
    pub fn out_of_addresses() -> Self {
        Self::of(What::Exhaust)
    }

    fn of(what: What) -> Self {
        Self { what, method: None, path: None, after: 0, times: Some(1) }
    }

    /// Meets only calls of this method whose path, without its version, is this one. A `*` stands for any text:
    /// `/networks/*/connect`.
    pub fn on(mut self, method: impl Into<String>, path: impl Into<String>) -> Self {
        self.method = Some(method.into().to_ascii_uppercase());
        self.path = Some(path.into());
        self
    }

    /// Lets so many matching calls pass first.
    pub fn after(mut self, calls: u32) -> Self {
        self.after = calls;
        self
    }

    /// Meets so many calls; one if nothing is said.
    pub fn times(mut self, calls: u32) -> Self {
        self.times = Some(calls);
        self
    }

    /// Meets every matching call from now on.
    pub fn always(mut self) -> Self {
        self.times = None;
        self
    }

    fn matches(&self, method: &Method, path: &str) -> bool {
        self.method.as_deref().is_none_or(|wanted| wanted == method.as_str())
            && self.path.as_deref().is_none_or(|wanted| glob(wanted, path))
    }
}

/// Whether a text is of a form in which `*` stands for anything.
fn glob(form: &str, text: &str) -> bool {
    let Some((head, rest)) = form.split_once('*') else { return form == text };
    let Some(text) = text.strip_prefix(head) else { return false };
    let mut starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    starts.any(|at| text.get(at..).is_some_and(|tail| glob(rest, tail)))
}

/// The faults that an engine was asked for. Cheap to clone; clones are the same list.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<Vec<Fault>>>);

impl Faults {
    /// Adds a fault. Of several that match a call, the oldest one meets it.
    pub fn add(&self, fault: Fault) {
        self.list().push(fault);
    }

    /// Forgets all of them.
    pub fn clear(&self) {
        self.list().clear();
    }

    /// How many have not met all of their calls yet: a test that expects them to have been met can look here.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.list().iter().filter(|fault| fault.times.is_some()).count()
    }

    /// What meets this call.
    pub(crate) fn meet(&self, method: &Method, path: &str) -> Option<What> {
        let mut faults = self.list();
        let mut met = None;
        for (at, fault) in faults.iter_mut().enumerate() {
            if !fault.matches(method, path) {
                continue;
            }
            if fault.after > 0 {
                fault.after -= 1;
                continue;
            }
            fault.times = fault.times.map(|times| times.saturating_sub(1));
            met = Some((at, fault.what.clone(), fault.times == Some(0)));
            break;
        }
        let (at, what, spent) = met?;
        if spent {
            drop(faults.remove(at));
        }
        Some(what)
    }

    fn list(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.list().iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (form, text, matches) in [
            ("/networks/*/connect", "/networks/a/b/connect", true),
            ("/networks/*/connect", "/networks/a/disconnect", false),
            ("/networks/*", "/networks/", true),
            ("/networks", "/networks/a", false),
            ("*", "", true),
            ("*/é*", "/a/éö", true),
        ] {
            assert_eq!(glob(form, text), matches, "{form} {text}");
        }
    }

    #[test]
    fn faults_come_in_order_and_go_when_they_are_spent() {
        let faults = Faults::default();
        let next = || faults.meet(&Method::GET, "/networks");
        faults.add(Fault::drop_before().on("get", "/networks").after(1));
        faults.add(Fault::drop_after().on("GET", "/networks").times(2));
        faults.add(Fault::refuse(99, "x").on("POST", "*"));
        assert_eq!(faults.pending(), 3);
        assert_eq!(next(), Some(What::DropAfter));
        assert_eq!(next(), Some(What::DropBefore));
        assert_eq!(next(), Some(What::DropAfter));
        assert_eq!(next(), None);
        assert_eq!(faults.pending(), 1);
        let refusal = What::Refuse(StatusCode::INTERNAL_SERVER_ERROR, "x".to_owned());
        assert_eq!(faults.meet(&Method::POST, "/"), Some(refusal));
        faults.add(Fault::delay(Duration::ZERO).always());
        assert_eq!(
            (next(), next()),
            (Some(What::Delay(Duration::ZERO)), Some(What::Delay(Duration::ZERO)))
        );
        assert_eq!(faults.pending(), 0);
        faults.clear();
        assert_eq!(next(), None);
    }
}
