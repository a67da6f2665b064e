//! A file has at most 500 lines (400 is the aim), a function at most 100 (70 is the aim).

use crate::tidy::Finding;
use crate::tidy::house::House;

const FILE_LINES: usize = 500;
const FUNCTION_LINES: usize = 100;

pub(crate) fn check(house: &House, findings: &mut Vec<Finding>) {
    for (file, source) in house.rust() {
        let lines = file.text.lines().count();
        if lines > FILE_LINES {
            let message = format!("{lines} lines, more than {FILE_LINES}");
            findings.push(Finding { path: file.path.clone(), line: 0, rule: "file-size", message });
        }
        for function in source.functions().into_iter().filter(|function| function.lines > FUNCTION_LINES) {
            let message = format!("{} has {} lines, more than {FUNCTION_LINES}", function.name, function.lines);
            findings.push(Finding { path: file.path.clone(), line: function.line, rule: "function-size", message });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::house::House;
    use crate::tidy::rules::fired;

    #[test]
    fn long_files_and_functions_are_found() {
        let function = |lines: usize| format!("// first\nfn long() {{\n{}}}\n", "    x();\n".repeat(lines - 2));
        let house = House::of(&[
            ("a.rs", &function(100)),
            ("b.rs", &function(101)),
            ("c.rs", &"// x\n".repeat(500)),
            ("d.rs", &"// x\n".repeat(501)),
            ("e.md", &"x\n".repeat(900)),
        ]);
        assert_eq!(fired(check, &house), ["b.rs:2", "d.rs:0"]);
    }
}
