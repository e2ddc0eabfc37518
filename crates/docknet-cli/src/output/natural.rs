//! The order of names as people expect it, and as the docker CLI lists networks.

use std::cmp::Ordering;

/// Numbers in names by their value, everything else by its bytes: `net2` is before `net10`, and before `net02`.
pub(crate) fn natural(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    loop {
        let (Some((first, one_rest)), Some((other_first, other_rest))) =
            (one.split_first(), other.split_first())
        else {
            return one.len().cmp(&other.len());
        };
        let order = match (first.is_ascii_digit(), other_first.is_ascii_digit()) {
            (true, true) => {
                let (number, behind) = number(one);
                let (other_number, other_behind) = self::number(other);
                (one, other) = (behind, other_behind);
                number.cmp(&other_number)
            }
            // Digits are before anything else.
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => {
                (one, other) = (one_rest, other_rest);
                first.cmp(other_first)
            }
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// A number in the order of numbers: how many digits it has, which, and how many zeros are before them; and what is
/// behind it.
fn number(text: &[u8]) -> ((usize, &[u8], usize), &[u8]) {
    let zeros = text.iter().take_while(|byte| **byte == b'0').count();
    let digits = text.iter().skip(zeros).take_while(|byte| byte.is_ascii_digit()).count();
    let (number, behind) = text.split_at(zeros + digits);
    let digits = number.get(zeros..).unwrap_or_default();
    ((digits.len(), digits, zeros), behind)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_an_order(one in "[ab0-2]{0,6}", two in "[ab0-2]{0,6}", three in "[ab0-2]{0,6}") {
            prop_assert_eq!(natural(&one, &two), natural(&two, &one).reverse());
            prop_assert_eq!(natural(&one, &two) == Ordering::Equal, one == two);
            if natural(&one, &two) == natural(&two, &three) {
                prop_assert_eq!(natural(&one, &three), natural(&one, &two));
            }
        }
    }

    #[test]
    fn numbers_are_ordered_by_their_value() {
        let sorted = [
            "", "1", "01", "2", "10", "A", "a", "a1b", "a2", "a02", "a10", "a10b2", "a10b10", "ab",
            "b",
        ];
        let mut names = sorted;
        names.reverse();
        names.sort_by(|one, other| natural(one, other));
        assert_eq!(names, sorted);
    }
}
