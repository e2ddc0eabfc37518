//! Users by name, as the host knows them.

use std::fs;
use std::io;

/// The numbers of `user`, or of `user:group`; nobody asked for is root.
pub(super) fn find(text: &str) -> io::Result<(u32, u32)> {
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let group = fs::read_to_string("/etc/group").unwrap_or_default();
    among(text, &passwd, &group).map_err(|why| io::Error::new(io::ErrorKind::InvalidInput, why))
}

fn among(text: &str, passwd: &str, groups: &str) -> Result<(u32, u32), String> {
    let (user, group) = text.split_once(':').unwrap_or((text, ""));
    let (uid, own_group) = match user {
        "" => (0, 0),
        number if number.parse::<u32>().is_ok() => {
            let uid = number.parse().unwrap_or_default();
            (
                uid,
                line(passwd, |fields| fields.get(2) == Some(&number))
                    .and_then(|fields| gid(&fields))
                    .unwrap_or(0),
            )
        }
        name => line(passwd, |fields| fields.first() == Some(&name))
            .and_then(|fields| Some((fields.get(2)?.parse().ok()?, gid(&fields)?)))
            .ok_or_else(|| {
                format!("unable to find user {name}: no matching entries in passwd file")
            })?,
    };
    let gid = match group {
        "" => own_group,
        number if number.parse::<u32>().is_ok() => number.parse().unwrap_or_default(),
        name => line(groups, |fields| fields.first() == Some(&name))
            .and_then(|fields| fields.get(2)?.parse().ok())
            .ok_or_else(|| {
                format!("unable to find group {name}: no matching entries in group file")
            })?,
    };
    Ok((uid, gid))
}

fn line(file: &str, is: impl Fn(&[&str]) -> bool) -> Option<Vec<&str>> {
    file.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| is(fields))
}

fn gid(fields: &[&str]) -> Option<u32> {
    fields.get(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_name_and_by_number() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1001::/home/alice:/bin/sh\n";
        let groups = "root:x:0:\nstaff:x:50:\n";
        let find = |text| among(text, passwd, groups);
        assert_eq!(find(""), Ok((0, 0)));
        assert_eq!(find("alice"), Ok((1000, 1001)));
        assert_eq!(find("1000"), Ok((1000, 1001)));
        assert_eq!(find("7"), Ok((7, 0)));
        assert_eq!(find("alice:staff"), Ok((1000, 50)));
        assert_eq!(find("7:8"), Ok((7, 8)));
        assert!(find("bob").unwrap_err().contains("unable to find user bob"));
        assert!(find("alice:wheel").unwrap_err().contains("unable to find group wheel"));
    }
}
