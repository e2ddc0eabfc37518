//! Panics of behaviours are results, not noise.

use std::panic::PanicHookInfo;
use std::sync::Once;

use crate::lab;

/// From now on a panic inside a behaviour is written down there; any other is shown as before.
pub(crate) fn catch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !lab::write_down(&text(info)) {
                before(info);
            }
        }));
    });
}

fn text(info: &PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let message = text.or_else(|| payload.downcast_ref::<&str>().copied());
    let message = message.unwrap_or("a panic without words");
    match info.location() {
        Some(place) => format!("{message} ({}:{})", place.file(), place.line()),
        None => message.to_owned(),
    }
}
