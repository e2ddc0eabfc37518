//! The output of a command in a container: one stream with two in it.

use crate::{Error, ErrorKind, Result};

/// Takes apart what the engine sends: pieces with a head of eight bytes, the first of which tells standard output (1)
/// from standard error (2), the last four of which have the length (Engine API, ContainerAttach, "Stream format").
pub(crate) fn demultiplex(mut stream: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    while !stream.is_empty() {
        let cut = || Error::new(ErrorKind::Protocol, "the output of the command is cut off");
        let (head, rest) = stream.split_first_chunk::<8>().ok_or_else(cut)?;
        let [kind, _, _, _, length @ ..] = *head;
        let length = u32::from_be_bytes(length) as usize;
        let (piece, rest) = rest.split_at_checked(length).ok_or_else(cut)?;
        match kind {
            0 | 1 => stdout.extend_from_slice(piece),
            2 => stderr.extend_from_slice(piece),
            other => {
                let text = format!(
                    "the output of the command has a stream {other}, and there are 1 and 2"
                );
                return Err(Error::new(ErrorKind::Protocol, text));
            }
        }
        stream = rest;
    }
    Ok((stdout, stderr))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_two_apart() {
        let stream = [
            &[1, 0, 0, 0, 0, 0, 0, 2],
            b"ab".as_slice(),
            &[2, 0, 0, 0, 0, 0, 0, 1],
            b"!",
            &[1, 0, 0, 0, 0, 0, 0, 0],
        ];
        assert_eq!(demultiplex(&stream.concat()).unwrap(), (b"ab".to_vec(), b"!".to_vec()));
        assert_eq!(demultiplex(b"").unwrap(), (Vec::new(), Vec::new()));
    }

    #[test]
    fn what_is_cut_off_or_garbage_is_an_error() {
        for stream in [
            &[1, 0, 0][..],
            &[1, 0, 0, 0, 0, 0, 0, 9, b'a'],
            &[7, 0, 0, 0, 0, 0, 0, 0],
            &[1, 0, 0, 0, 255, 255, 255, 255],
        ] {
            assert_eq!(demultiplex(stream).unwrap_err().kind(), ErrorKind::Protocol);
        }
    }
}
