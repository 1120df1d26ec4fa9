//! OpenMetrics text made into Prometheus' older text format (0.0.4), which names a counter with its suffix `_total` and knows
//! neither units nor an end mark.

use std::collections::HashSet;

/// The same figures in the older format.
pub(super) fn rewrite(text: &str) -> String {
    let counter = |line| str::strip_suffix(str::strip_prefix(line, "# TYPE ")?, " counter");
    let counters: HashSet<&str> = text.lines().filter_map(counter).collect();
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let mut words = line.splitn(4, ' ');
        match [words.next(), words.next(), words.next(), words.next()] {
            [Some("#"), Some("EOF" | "UNIT"), ..] => continue,
            [Some("#"), Some(what), Some(name), Some(rest)] if counters.contains(name) => {
                out.extend(["# ", what, " ", name, "_total ", rest]);
            }
            _ => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn counters_get_their_suffix_and_the_rest_stays() {
        let open = "# HELP a_seconds How long a thing took.\n# TYPE a_seconds histogram\n# UNIT a_seconds seconds\n\
                    a_seconds_sum 1.5\n# HELP b Things a counter counts.\n# TYPE b counter\nb_total{of=\"a b\"} 3\n# EOF\n";
        let older = "# HELP a_seconds How long a thing took.\n# TYPE a_seconds histogram\na_seconds_sum 1.5\n\
                     # HELP b_total Things a counter counts.\n# TYPE b_total counter\nb_total{of=\"a b\"} 3\n";
        assert_eq!(super::rewrite(open), older);
    }
}
