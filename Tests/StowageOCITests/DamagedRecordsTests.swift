// SPDX-License-Identifier: Apache-2.0

import Stowage
import StowageConfig
import StowageModel
import StowageOCI
import StowageStore
import StowageSystem
import StowageTestSupport
import Synchronization
import SystemPackage
import Testing

/// What one record file of a small store can come to.
private struct Case: CustomTestStringConvertible, Sendable {
  enum Damage: String, CaseIterable, Sendable { case cut, empty, nul, gone, directory }

  let driver: String
  /// Whether the image is in an image store of its own.
  let isSplit: Bool
  let file: String
  let damage: Damage

  var testDescription: String { "\(driver)\(isSplit ? ", split" : ""): \(file) \(damage)" }
  var isOfContainers: Bool { file.hasSuffix("containers.json") }

  static let all: [Case] = testedDrivers.flatMap { driver in
    [false, true].flatMap { isSplit in
      let home = isSplit ? "I" : "G"
      let files = ["G/\(driver)-layers/layers.json", "G/\(driver)-containers/containers.json"]
      return Set(files + ["\(home)/\(driver)-layers/layers.json", "\(home)/\(driver)-images/images.json"]).sorted()
        .flatMap { file in Damage.allCases.map { Case(driver: driver, isSplit: isSplit, file: file, damage: $0) } }
    }
  }

  /// A share of all that changes with the commit; all of them with `STOWAGE_SWEEP=1/1`.
  static let sampled = Sweep.steps(of: all.count, sample: 2).map { all[$0 - 1] }
}

private let testedDrivers = availableDrivers.filter { isRoot && $0 == "overlay" || $0 == "vfs" }

/// A store with an image of two layers and two containers, one with a file of its own. Made once for each form, and copied.
private final class SmallStore {
  let place: TemporaryDirectory
  let form: Case

  private static let templates = Mutex<[String: TemporaryDirectory]>([:])

  init(_ form: Case) throws {
    self.form = form
    place = try TemporaryDirectory("records")
    let template = try SmallStore.templates.withLock { templates in
      let key = "\(form.driver) \(form.isSplit)"
      if let known = templates[key] { return known }
      let new = try TemporaryDirectory("template")
      new.removeAtExit()
      try SmallStore.fill(new, form)
      templates[key] = new
      return new
    }
    // The image store knows its graph root by the path.
    let copied = try run(
      "sh", "-c",
      "cp -a '\(template.path)'/? '\(place.path)' && find '\(place.path)' -path '*/dependents.d/*' -type f "
        + "-exec sed -i 's#\(template.path)#\(place.path)#g' {} +")
    try #require(copied.isSuccess, "\(copied)")
  }

  deinit { SmallStore.unmount(below: place) }

  /// The drivers' own mounts.
  private static func unmount(below place: TemporaryDirectory) {
    for path in MountTable.mounts(below: place.path).reversed() { try? Syscall.umount(path, flags: .detach) }
  }

  /// Opens the store as another process does.
  func open() throws -> Store { try SmallStore.open(place, form) }

  private static func open(_ place: TemporaryDirectory, _ form: Case) throws -> Store {
    var options = StoreOptions(
      graphRoot: place.appending("G").string, runRoot: place.appending("R").string, driverName: form.driver)
    if form.isSplit { options.imageStore = place.appending("I").string }
    return try Store.open(options)
  }

  private static func fill(_ place: TemporaryDirectory, _ form: Case) throws {
    let store = try open(place, form)
    let archive = StowageTestSupport.fixture("samples/sample-docker-archive.tar").string
    _ = try ImageLoader(store).load(from: .path(archive), name: "image", progress: .silent)
    for name in ["first", "second"] {
      let container = try store.containers.create(ContainerCreation(names: [name], image: "localhost/image:latest"))
      let layer = container.layer.rawValue
      let tree = form.driver == "overlay" ? "G/overlay/\(layer)/diff" : "G/vfs/dir/\(layer)"
      if name == "second" { try place.path.appending(FilePath(tree).components).appending("precious").write("x") }
    }
    unmount(below: place)
  }

  func damage() throws {
    let file = place.path.appending(FilePath(form.file).components)
    let bytes = try file.readBytes()
    switch form.damage {
    case .cut: try file.write(Array(bytes.dropLast(9)))
    case .empty: try file.write([])
    case .nul: try file.write(bytes.map { _ in 0 })
    case .gone: try Syscall.unlink(file)
    case .directory:
      try Syscall.unlink(file)
      try Syscall.mkdir(file, mode: 0o700)
    }
  }

  func hasPrecious() throws -> Bool {
    try run("find", place.path.string, "-name", "precious").outputText.hasSuffix("/precious\n")
  }

  func keptFiles() throws -> [String] {
    try run("find", place.path.string, "-name", "*.damaged-*").outputText.split(separator: "\n").map(String.init)
  }
}

/// Each record file of each form of store, damaged in each way (issues 8148 and 24106 of podman, 2335 of storage).
@Suite("Damaged record files") struct DamagedRecordsTests {
  /// What deletes anything, of what is recorded and of what is not.
  private func verbs(
    _ store: Store, layer: LayerID?, image: ImageID?, container: ContainerID?
  ) -> [(name: String, call: () throws -> Void)] {
    let none = "none"
    var verbs: [(name: String, call: () throws -> Void)] = [
      ("wipe", { try store.wipe() }), ("wipe --force", { try store.wipe(force: true) }),
      ("gc", { _ = try store.collectLeftovers() }),
    ]
    for name in [layer?.rawValue ?? none, none] {
      verbs.append(("delete-layer \(name)", { try store.layers.delete(name) }))
    }
    for name in [image?.rawValue ?? none, none] {
      verbs.append(("delete-image \(name)", { _ = try store.images.delete(name) }))
      if store.imageStoreRoot.isEmpty { continue }
      verbs.append(("relocate \(name)", { _ = try store.images.relocate([name], to: .graphRoot) }))
    }
    for name in [container?.rawValue ?? none, none] {
      verbs.append(("delete-container \(name)", { try store.containers.delete(name) }))
      verbs.append(("delete \(name)", { try store.unsafeDelete(name) }))
    }
    return verbs
  }

  @Test(.tags(.slow), arguments: Case.sampled)
  fileprivate func `Nothing is deleted before the records are back, and wiping what is unproven takes force`(
    form: Case
  ) throws {
    let test = try SmallStore(form)
    var store = try test.open()
    let (layers, images) = (try store.layers.list().map(\.record), try store.images.list().map(\.record))
    let containers = try store.containers.list()
    try test.damage()

    for isLoaded in [true, false] {
      if !isLoaded { store = try test.open() }
      let found = try store.check().recordLosses
      #expect(found.count == 1 && found.first?.path.hasSuffix(form.file) == true, "\(found)")
      // One that has loaded the records before must notice as one that opens the store now.
      let all = verbs(store, layer: layers.first?.id, image: images.first?.id, container: containers.first?.id)
      for verb in all.prefix(isLoaded ? 5 : .max) {
        let text = message { try verb.call() } ?? "went on"
        #expect(text.contains(form.file) && text.contains("check --repair"), "\(verb.name): \(text)")
      }
    }

    #expect(throws: StorageError.self) { try store.restoreRecords(isCancelled: { true }) }
    #expect(try test.keptFiles().isEmpty)
    let restored = try store.restoreRecords()
    #expect(restored.count == 1 && restored.first?.kept.contains(".damaged-") == true)
    var options = CheckOptions()
    options.maximumAge = 0
    // The restoration has made every archive again.
    options.comparesContents = false
    #expect(try store.check(options).isHealthy)
    #expect(try store.collectLeftovers().leftovers.isEmpty)
    #expect(try test.hasPrecious())
    let back = try store.layers.list().map(\.record)
    #expect(Set(back.map(\.id)) == Set(layers.map(\.id)))
    #expect(Set(back.map(\.parent)) == Set(layers.map(\.parent)))
    #expect(Set(back.map(\.diffDigest)) == Set(layers.map(\.diffDigest)))
    #expect(try store.images.list().map(\.record.layer) == images.map(\.layer))
    #expect(try store.images.list().map(\.record.bigDataDigests) == images.map(\.bigDataDigests))
    // A container that never ran is proven by nothing on disk.
    let left = !form.isOfContainers ? 2 : form.damage == .cut ? 1 : 0
    #expect(try store.containers.list().count == left)

    if left < 2 {
      let refusal = message { try store.wipe() } ?? "went on"
      #expect(refusal.contains("--force") && refusal.contains(".damaged-"), "\(refusal)")
      #expect(try test.hasPrecious())
    }
    // What is all proven is kept for nobody.
    try store.wipe(force: left < 2)
    #expect(try store.layers.list().isEmpty && store.images.list().isEmpty && store.containers.list().isEmpty)
    #expect(try test.keptFiles().isEmpty == (left < 2) && !test.hasPrecious())
    #expect(try store.check(options).isHealthy)
  }
}

extension DamagedRecordsTests {
  /// What other programs may have left out of a file that can be read: how it is edited.
  private static let edits = [
    ("layers", "a = [r for r in a if r.get('diff-digest')]"), ("layers", "a = [r for r in a if r.get('parent')]"),
    ("layers", "a = []"), ("images", "a = []"), ("images", "a[0]['id'] = ''"), ("containers", "a[0]['id'] = ''"),
    ("containers", "a[1]['id'] = a[0]['id']"),
  ]

  @Test(arguments: Sweep.steps(of: edits.count, sample: 1).map { edits[$0 - 1] })
  func `Records of a readable file that are lost keep what they named`(kind: String, change: String) throws {
    let form = Case(driver: "vfs", isSplit: false, file: "G/vfs-\(kind)/\(kind).json", damage: .gone)
    let test = try SmallStore(form)
    let store = try test.open()
    let (layers, images) = (try store.layers.list().map(\.id), try store.images.list().map(\.id))
    let file = test.place.path.appending(FilePath(form.file).components).string
    let edited = try run(
      "python3", "-c", "import json; p = '\(file)'; a = json.load(open(p)); \(change); json.dump(a, open(p, 'w'))")
    try #require(edited.isSuccess, "\(edited)")
    let items = try test.place.appending("G/vfs-images").names()
    #expect(try store.check().recordLosses.contains { $0.isPending && $0.path == file })
    for verb in verbs(store, layer: nil, image: images.first, container: nil) {
      #expect(message { try verb.call() }?.contains("check --repair") == true, "\(verb.name)")
    }
    #expect(try test.place.appending("G/vfs-images").names() == items)
    _ = try store.restoreRecords()
    #expect(try Set(store.layers.list().map(\.id)) == Set(layers))
    #expect(try store.images.list().map(\.id) == images)
    #expect(try store.check().isHealthy && test.hasPrecious())
  }
}

extension DamagedRecordsTests {
  /// What happens to a record file of an additional store; whether it can be loaded then.
  @Test(
    .tags(.slow),
    arguments: [("layers", "", true), ("layers", "[{", false), ("images", "", true), ("images", "[}", false)])
  func `Lost records of an additional store are named, and keep nobody from deleting what is not theirs`(
    kind: String, text: String, isLoaded: Bool
  ) throws {
    let other = try SmallStore(Case(driver: "vfs", isSplit: false, file: "", damage: .gone))
    let place = try TemporaryDirectory("additional")
    let options = StoreOptions(
      graphRoot: place.appending("G").string, runRoot: place.appending("R").string, driverName: "vfs",
      driverOptions: ["vfs.imagestore=\(other.place.appending("G"))"])
    let store = try Store.open(options)
    let container = try store.containers.create(ContainerCreation(names: ["mine"], image: "localhost/image:latest"))
    let layer = try store.layers.create(LayerCreation())
    let file = other.place.appending("G/vfs-\(kind)/\(kind).json")
    try file.write(text)

    var checking = CheckOptions()
    (checking.maximumAge, checking.comparesContents) = (0, false)
    let report = try store.check(checking)
    #expect(report.recordLosses.map(\.path) == [file.string] && report.recordLosses[0].isElsewhere)
    #expect(report.recordLosses[0].text.contains("additional store"))
    #expect(!report.isHealthy && report.isPartial == !isLoaded)
    #expect(try store.restoreRecords().isEmpty)
    #expect(try file.readText() == text)
    if isLoaded { _ = try store.repair(report, removesContainers: true) }
    #expect(try store.containers.find("mine").id == container.id)
    if !isLoaded {
      #expect(message { _ = try store.collectLeftovers() } != nil)
      try store.layers.delete(layer.id.rawValue)
    }
    try store.containers.delete("mine")
    #expect(try store.containers.list().isEmpty)
    try store.wipe()
  }

  @Test func `A transient store names the file of its volatile records, and misses none after a reboot`() throws {
    let place = try TemporaryDirectory("transient")
    var options = StoreOptions(
      graphRoot: place.appending("G").string, runRoot: place.appending("R").string, driverName: "vfs")
    options.transientStore = true
    let store = try Store.open(options)
    let container = try store.containers.create(ContainerCreation(names: ["mine"], image: ""))
    try store.containers.setBigData("item", bytes: [1], of: "mine")
    let file = place.appending("R/vfs-containers/volatile-containers.json")
    try file.write("[{")
    for opened in [store, try Store.open(options)] {
      #expect(try opened.check().recordLosses.map(\.path) == [file.string])
      let text = message { try opened.containers.delete(container.id.rawValue) } ?? "went on"
      #expect(text.contains("\(file) cannot be read") && text.contains("check --repair"), "\(text)")
    }
    try Syscall.unlink(file)
    #expect(try Store.open(options).check().recordLosses.isEmpty)
  }
}

private func message(_ body: () throws -> Void) -> String? {
  do { try body() } catch { return "\(error)" }
  return nil
}
