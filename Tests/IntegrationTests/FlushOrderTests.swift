// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// What is on disk when, judged from the recorded calls of commands.
@Suite("Order of flushes") struct FlushOrderTests {
  /// A trace on `/g`, one call a line, fields separated by blanks.
  private func objections(_ trace: String) -> [String] {
    let lines = trace.split(separator: "\n").map { $0.split(separator: " ").joined(separator: "\t") }
    let text = lines.joined(separator: "\n")
    return FlushOrder.objections(to: FlushOrder.Call.read(text, below: ["/g"]))
  }

  private static let complete = #"[{"id":"a"}]"#
  private static let incomplete = #"[{"id":"a","flags":{"incomplete":true}}]"#
  private static let tied = #"[{"id":"a","flags":{"stowage-owner":{"id":"i","kind":"image"}}}]"#

  /// Writes a record file as it should be.
  private func save(_ path: String, _ before: String, _ after: String) -> String {
    let directory = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
    return """
      write \(directory)/.tmp-x
      fdatasync \(directory)/.tmp-x
      rename \(directory)/.tmp-x \(path) \(before) \(after)
      fsync \(directory)

      """
  }

  private let layers = "/g/vfs-layers/layers.json"

  @Test func `A layer that is flushed before its record is complete is right`() {
    let trace = """
      mkdir /g/vfs/tempdirs/temp-dir-1/t
      create /g/vfs/tempdirs/temp-dir-1/t/f
      write /g/vfs/tempdirs/temp-dir-1/t/f
      syncfs /g
      \(save(layers, "[]", Self.incomplete))
      rename /g/vfs/tempdirs/temp-dir-1/t /g/vfs/dir/a
      fsync /g/vfs/dir
      \(save(layers, Self.incomplete, Self.complete))
      """
    #expect(objections(trace) == [])
  }

  @Test(arguments: ["syncfs /g\n", "fsync /g/vfs/dir\n", "fdatasync /g/vfs-layers/.tmp-x\n", "fsync /g/vfs-layers\n"])
  func `Each flush that is left out is missed`(flush: String) {
    let trace = """
      \(save(layers, "[]", Self.incomplete))
      create /g/vfs/tempdirs/temp-dir-1/t/f
      write /g/vfs/tempdirs/temp-dir-1/t/f
      syncfs /g
      rename /g/vfs/tempdirs/temp-dir-1/t /g/vfs/dir/a
      fsync /g/vfs/dir
      \(save(layers, Self.incomplete, Self.complete))
      """
    #expect(objections(trace) == [])
    #expect(objections(trace.replacing(flush, with: "")) != [])
  }

  @Test func `A tree that goes before its record is seen, and one that can come back`() {
    let early = save(layers, "[]", Self.complete) + "rename /g/vfs/dir/a /g/vfs/tempdirs/temp-dir-1/a\n"
    #expect(objections(early).count == 1)
    let marked = save(layers, Self.complete, Self.incomplete) + "rename /g/vfs/dir/a /g/vfs/tempdirs/temp-dir-1/a\n"
    #expect(objections(marked) == [])
    #expect(objections(marked + save(layers, Self.incomplete, "[]")).count == 1)
    #expect(objections(marked + "fsync /g/vfs/dir\n" + save(layers, Self.incomplete, "[]")) == [])
  }

  @Test func `The layers of an image go when it is surely gone`() {
    let images = "/g/vfs-images/images.json"
    let image = #"[{"id":"i","layer":"a"}]"#
    let tie = save(layers, Self.complete, Self.tied)
    let move = "rename /g/vfs/dir/a /g/vfs/tempdirs/temp-dir-1/a\nfsync /g/vfs/dir\n" + save(layers, Self.tied, "[]")
    #expect(objections(tie + save(images, image, "[]") + move) == [])
    let unflushed = save(images, image, "[]").replacing("fsync /g/vfs-images\n", with: "")
    #expect(objections(tie + unflushed + move).contains { $0.contains("uses it") })
  }

  /// The operations of a store's life; `<T>` is an archive of a layer, `<I>` one of an image with four, each word of a command
  /// separated by blanks.
  private static let life = """
    import-layer --id base -r --file <T>
    import-layer --id top -r --file <T> base
    create-image --id image --name web --metadata m top
    set-image-data --file <T> image manifest
    set-image-data --file <T> image manifest
    add-names --name other image
    create-container --id box --name mine image
    set-container-data --file <T> box key
    mount box
    unmount box
    delete-container box
    create-layer --id free
    applydiff --file <T> free
    set-layer-data --file <T> free key
    delete-layer free
    delete-image image
    load -q <I>
    load -q <I>
    delete-image localhost/many:1
    import-layer --id again -r --file <T>
    create-image --id new again
    set-image-data --file <T> new manifest
    create-container --id other --name second new
    mount other
    relocate -q --all --to graph-root
    relocate -q --all --to image-store
    unmount other
    delete-container other
    wipe
    """

  @Test(.tags(.driver, .root, .slow), .enabled(if: isRoot, "mounts"), arguments: Drivers.all, [false, true])
  func `Every flush of every operation is needed, and none is missing`(driver: String, isSplit: Bool) throws {
    if driver == "btrfs", isSplit { return }
    let store = try CommandStore(driver)
    let roots = [store.graphRoot, store.imageStore]
    let archive = store.directory.appending("t.tar").string
    _ = try shell("cd \(store.directory.path); mkdir t; echo text > t/f; tar -C t -cf \(archive) .")
    let image = store.directory.appending("image.tar")
    try ManyLayers.write(to: image, layers: 4)
    // Makes the store's directories, each for good.
    try store.run((isSplit ? ["--image-store", roots[1]] : []) + ["import-layer", "-r", "--file", archive])
    var hasMoved = false
    for line in Self.life.split(separator: "\n") where isSplit || !line.hasPrefix("relocate") {
      let words = line.replacing("<T>", with: archive).replacing("<I>", with: image.string).split(separator: " ").map(
        String.init)
      let trace = store.directory.appending("trace")
      if trace.exists { try Syscall.unlink(trace) }
      let options = isSplit ? ["--image-store", roots[1]] : []
      let records = try store.recordFiles()
      let result = try store.run(options + words, adding: ["STOWAGE_TRACE": trace.string])
      #expect(result.isSuccess, "\(line): \(result)")
      let calls = FlushOrder.Call.read(trace.exists ? try trace.readText() : "", below: roots)
      let place = store.directory.path.string
      let objections = FlushOrder.objections(to: calls, after: records)
      #expect(objections.map { $0.replacing(place, with: "") } == [], "\(line)")
      // Lists of parents follow a move, and what mounts hold ends after it: other programs need that, records do not vouch for it.
      if line.hasPrefix("relocate") { hasMoved = true }
      // Layers that begin as copies are loaded one after the other, each as if it were the last.
      if hasMoved || line.hasPrefix("load") && driver != "overlay" { continue }
      let needless = FlushOrder.needless(in: calls, after: records).map { $0.replacing(place, with: "") }
      #expect(needless == [], "\(line)")
    }
  }
}
