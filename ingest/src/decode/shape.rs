//! The wanted pointers of a source as a tree, so that one pass over a payload finds all of them.

use schemas::template::Pointer;
use std::collections::BTreeMap;

/// Number of a node in its shape.
pub(super) type NodeIx = u32;

/// A tree of wanted places. Slots are numbered depth first, so the slots below a node are one range.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Its nodes; the first is the payload object itself.
    pub(super) nodes: Vec<Node>,
    /// How many slots a record has.
    pub(super) width: usize,
}

/// A place in the payload that is wanted or leads to wanted ones.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    /// Slot of its own value, if wanted.
    pub(super) slot: Option<u32>,
    /// Slots of it and all below it.
    pub(super) slots: (u32, u32),
    /// Places below it by object key.
    pub(super) keys: Vec<(Box<str>, NodeIx)>,
    /// Places below it by array index.
    pub(super) items: Vec<(usize, NodeIx)>,
}

/// The tree while it grows.
#[derive(Default)]
struct Branch {
    wanted: bool,
    below: BTreeMap<String, Branch>,
}

impl Shape {
    /// The shape of these pointers, and the slot of each of them in the order given.
    pub fn new(pointers: &[&Pointer]) -> (Shape, Vec<usize>) {
        let mut root = Branch::default();
        for pointer in pointers {
            let mut branch = &mut root;
            for part in &pointer.parts {
                branch = branch.below.entry(part.clone()).or_default();
            }
            branch.wanted = true;
        }
        let mut shape = Shape { nodes: Vec::new(), width: 0 };
        shape.add(&root);
        let slots = pointers.iter().map(|pointer| shape.slot(pointer)).collect();
        (shape, slots)
    }

    fn add(&mut self, branch: &Branch) -> NodeIx {
        let ix = self.nodes.len();
        let first = self.width as u32;
        let slot = branch.wanted.then_some(first);
        self.width += usize::from(branch.wanted);
        self.nodes.push(Node { slot, ..Node::default() });
        for (part, below) in &branch.below {
            let child = self.add(below);
            if let Ok(index) = part.parse::<usize>()
                && index.to_string() == *part
            {
                self.nodes[ix].items.push((index, child));
            }
            self.nodes[ix].keys.push((part.as_str().into(), child));
        }
        self.nodes[ix].slots = (first, self.width as u32);
        ix as NodeIx
    }

    fn slot(&self, pointer: &Pointer) -> usize {
        let mut node = &self.nodes[0];
        for part in &pointer.parts {
            if let Some((_, below)) = node.keys.iter().find(|(key, _)| **key == **part) {
                node = &self.nodes[*below as usize];
            }
        }
        node.slot.unwrap_or_default() as usize
    }
}
