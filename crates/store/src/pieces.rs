//! Rows of statements that take many at once.
//!
//! Each number of rows is a statement of its own, which the server has to read and each connection to remember. In
//! pieces of 1, 2, 4, and so on there are few, whatever number comes.

/// The most rows of one statement.
const MOST: usize = 128;

/// Splits rows into pieces whose lengths are powers of two, the longest first, at most 128.
pub(crate) fn pieces<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let length = 1_usize << rest.len().min(MOST).checked_ilog2()?;
        let (piece, others) = rest.split_at_checked(length)?;
        rest = others;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_in_one_piece() {
        for count in 0..600 {
            let rows: Vec<usize> = (0..count).collect();
            assert_eq!(pieces(&rows).flatten().copied().collect::<Vec<_>>(), rows);
            assert!(pieces(&rows).all(|piece| piece.len().is_power_of_two()));
            assert!(pieces(&rows).all(|piece| piece.len() <= MOST));
        }
        let rows = [0; 300];
        let lengths: Vec<usize> = pieces(&rows).map(<[i32]>::len).collect();
        assert_eq!(lengths, [128, 128, 32, 8, 4]);
    }
}
