// SPDX-License-Identifier: Apache-2.0
private import StowageArchive
private import StowageCompression
private import StowageDiff
private import StowageSystem
private import SystemPackage

/// Reads the input as a layer on a tree of few names and what is done to the tree afterwards: puts the archive together again.
///
/// Invariants: what comes out is the archive, or its beginning up to a refusal; it is whole if every file is still found where
/// the archive has it. Nothing outside of the tree is read.
func fuzzReassemble(_ input: [UInt8]) {
  guard let first = input.first else { return }
  let changes = input.dropFirst().prefix(3 * Int(first & 3))
  let entries = LayerEntry.decode(input.dropFirst(1 + changes.count))
  LayerTree.reset()
  let split = Scratch.path.appending("layer.tar-split.gz")
  if Syscall.exists(split) { Scratch.remove(split) }
  let archive = entries.archive
  let options = ApplyOptions(whiteouts: .literal)
  let request = ApplyRequest(tarSplit: split)
  // What is refused has nothing to put together.
  guard (try? applyLayer(from: BytesSource(archive), to: LayerTree.path, options: options, request: request)) != nil
  else { return }
  for start in stride(from: changes.startIndex, to: changes.endIndex - 2, by: 3) {
    change(Array(changes[start..<(start + 3)]))
  }

  let sink = BytesSink()
  let result = Result { try reassembleLayer(tarSplit: split, roots: [LayerTree.path], to: sink) }
  switch result {
  case .success: precondition(sink.bytes == archive, "another archive")
  case .failure(let error):
    precondition(sink.bytes.elementsEqual(archive.prefix(sink.bytes.count)), "other bytes before a refusal")
    precondition(!isWhole(entries, changes.isEmpty), "refused although nothing is missing: \(error)")
  }
  LayerTree.checkOutside()
}

/// Whether the rules say that each file is where the archive has it.
private func isWhole(_ entries: [LayerEntry], _ isUnchanged: Bool) -> Bool {
  var model = LayerModel(.literal, appliesRoot: false, root: LayerModel.Node(UInt8(ascii: "5"), mode: 0o755))
  do throws(LayerModel.Refusal) { for entry in entries { try model.apply(entry) } } catch { return false }
  return isUnchanged
    && entries.allSatisfy { entry in
      guard !entry.content.isEmpty else { return true }
      let node = model.resolve(LayerModel.cleaned(entry.name))
      return node?.type == UInt8(ascii: "0") && node?.content == entry.content
    }
}

/// Replaces something in the tree, which is gone down into without following links.
private func change(_ bytes: [UInt8]) {
  var place = LayerTree.path
  var choice = Int(bytes[0])
  while true {
    let names = Scratch.need("read", place) { () throws(Errno) in try Syscall.directoryNames(place) }
    let sorted = names.map { String(decoding: $0, as: UTF8.self) }.sorted()
    guard !sorted.isEmpty else { return }
    let child = place.appending(sorted[choice % sorted.count])
    choice /= sorted.count
    let status = Scratch.need("lstat", child) { () throws(Errno) in try Syscall.lstat(child) }
    place = child
    guard status.isDirectory, choice % 2 == 0 else { break }
    choice /= 2
  }
  Scratch.remove(place)
  switch bytes[1] % 8 {
  case 0: break
  case 1: link(place, "\(Scratch.path)/outside/secret")
  case 2: link(place, "\(Scratch.path)/outside")
  case 3: link(place, "../../outside/secret")
  case 4: Scratch.makeDirectory(place)
  case 5: Scratch.need("mkfifo", place) { () throws(Errno) in try Syscall.mknod(place, mode: 0o010600, device: 0) }
  case 6: link(place, place.lastComponent?.string ?? "")
  default: Scratch.write(Array(repeating: bytes[2], count: Int(bytes[2] >> 3) * 20), to: place)
  }
}

private func link(_ place: FilePath, _ target: String) {
  Scratch.need("symlink", place) { () throws(Errno) in try Syscall.symlink(target: target, at: place) }
}
