// SPDX-License-Identifier: Apache-2.0
private import Glibc
private import StowageCompression
private import StowageDiff

/// Reads the input as the entries of a layer on a tree of few names, and applies it to a directory. Needs root.
///
/// Invariants: the directory is what the rules say (``LayerModel``), and what they refuse is refused; nothing outside of it is
/// changed, whatever links say.
func fuzzExtract(_ input: [UInt8]) {
  guard let first = input.first else { return }
  let form = [LayerModel.Form.overlay, .plain, .literal][Int(first & 3) % 3]
  let hasContent = first & 4 != 0
  let appliesRoot = first & 8 != 0
  let entries = LayerEntry.decode(input.dropFirst())

  let root = hasContent ? usualTree() : LayerModel.Node(UInt8(ascii: "5"), mode: 0o755)
  LayerTree.reset()
  LayerTree.make(root, at: LayerTree.path)
  var model = LayerModel(form, appliesRoot: appliesRoot, root: root)
  var isRefused = false
  do throws(LayerModel.Refusal) { for entry in entries { try model.apply(entry) } } catch { isRefused = true }

  let options = ApplyOptions(
    whiteouts: form == .overlay ? .overlay(.trusted) : form == .plain ? .plain : .literal,
    rootEntry: appliesRoot ? .apply : .ignore)
  do {
    _ = try applyLayer(from: BytesSource(entries.archive), to: LayerTree.path, options: options)
    precondition(!isRefused, "applied against the rules")
    LayerTree.compare(model)
  } catch {
    precondition(isRefused, "refused: \(error)")
  }
  LayerTree.checkOutside()
}

/// What a parent may have: files and directories that entries meet, and a link between them.
private func usualTree() -> LayerModel.Node {
  func directory(_ children: [String: LayerModel.Node]) -> LayerModel.Node {
    let node = LayerModel.Node(UInt8(ascii: "5"), mode: 0o755)
    for (name, child) in children { node.children[Array(name.utf8)] = child }
    return node
  }
  func file() -> LayerModel.Node {
    let node = LayerModel.Node(UInt8(ascii: "0"), mode: 0o644)
    node.content = Array("parent".utf8)
    return node
  }
  let link = LayerModel.Node(UInt8(ascii: "2"), mode: 0o777)
  link.link = Array("a/b".utf8)
  return directory(["a": directory(["a": file(), "b": directory(["c": file()])]), "b": file(), "c": link])
}
