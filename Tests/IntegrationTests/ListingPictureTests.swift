// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageTestSupport
import Testing

@testable import StowageStore
@testable import stowage_cli

/// A store as it may be after a day's work: a base image, two built on it, one without name, containers of Podman and Buildah.
/// Sizes and ages are such as Podman 4.3.1 showed for such a store.
struct SampleView {
  static let now = Timestamp(seconds: 1_795_890_000)
  private static func hours(_ count: Int64) -> Timestamp { Timestamp(seconds: now.seconds - count * 3600) }
  static func id(_ start: String) -> String { start + String(repeating: "0", count: 64 - start.utf8.count) }

  static func layer(_ start: String, on parent: String? = nil, size: Int64? = nil, mounts: Int = 0) throws -> LayerInfo
  {
    var record = LayerRecord(
      id: try #require(LayerID(recorded: id(start))), parent: parent.flatMap { LayerID(recorded: id($0)) },
      created: hours(2))
    if let size {
      record.diffSize = size
      record.diffDigest = try Digest(parsing: "sha256:" + id(start))
    }
    return LayerInfo(
      record: record, isReadOnly: false, mountPoint: mounts > 0 ? "/srv/g/overlay/\(start)/merged" : nil,
      mountCount: mounts)
  }

  static func image(
    _ start: String, _ names: [String], on layer: String, items: Int64, age: Int64 = 2
  ) throws -> ImageInfo {
    var record = ImageRecord(
      id: try #require(ImageID(recorded: id(start))), layer: LayerID(recorded: id(layer)), names: names,
      created: hours(age))
    record.digest = try Digest(parsing: "sha256:" + id("414a62"))
    record.bigDataSizes["manifest"] = items
    return ImageInfo(record: record, isReadOnly: false, digests: [])
  }

  static func container(_ start: String, _ name: String, of image: String, on layer: String) throws -> ContainerRecord {
    var record = ContainerRecord(
      id: try #require(ContainerID(recorded: id(start))), layer: try #require(LayerID(recorded: id(layer))),
      image: ImageID(recorded: id(image)), names: [name], created: hours(2))
    // As Podman writes it; Buildah writes none.
    if name == "web" { record.metadata = #"{"image-name":"localhost/two:1","name":"web"}"# }
    return record
  }

  static func view() throws -> StoreView {
    let snapshot = StoreSnapshot(
      layers: [
        try layer("1694933babc3", size: 3_215_360), try layer("9a1b0b8de129", on: "1694933babc3", size: 51712),
        try layer("9aa37215c551", on: "9a1b0b8de129", size: 1024),
        try layer("a1ba92563b0c", on: "1694933babc3", size: 1_500_000), try layer("f00c", on: "a1ba92563b0c"),
        try layer("f00d", on: "9a1b0b8de129", mounts: 1),
      ],
      images: [
        try image("2e0e3c2e494d", [], on: "9aa37215c551", items: 2716),
        try image("2d39e7fd68a5", ["quay.io/acme/two:latest", "localhost/two:1"], on: "a1ba92563b0c", items: 2240),
        try image("c99c94f822c9", ["localhost/one:1"], on: "9a1b0b8de129", items: 2239),
        try image("3c41cdf67a45", ["localhost/base:1"], on: "1694933babc3", items: 1230, age: 24 * 22),
      ],
      containers: [
        try container("c3c608669a49", "web", of: "2d39e7fd68a5", on: "f00c"),
        try container("92b449682f92", "bld", of: "c99c94f822c9", on: "f00d"),
      ])
    let owners = [snapshot.containers[0].id: ContainerOwner.podman, snapshot.containers[1].id: .buildah]
    let configuration = ImageConfiguration(
      document: document, manifestType: "application/vnd.oci.image.manifest.v1+json")
    return StoreView(snapshot, owners: owners, at: now) { (_) throws(StorageError) in configuration }
  }

  private static let document = JSONValue.object([
    .init("os", .string("linux")), .init("architecture", .string("amd64")),
    .init(
      "config",
      .object([
        .init("Env", .array([.string("A=1"), .string("B=2")])), .init("Entrypoint", .array([.string("/bin/app")])),
        .init("Cmd", .array([.string("/bin/sh")])), .init("Labels", .object([.init("version", .string("1.2"))])),
      ])),
    .init(
      "history",
      .array([
        .object([
          .init("created", .time(hours(24 * 22))), .init("comment", .string("base import")),
          .init("created_by", .string("/bin/sh -c #(nop) ADD file:1694933babc3 in / ")),
        ]),
        .object([
          .init("created", .time(hours(24 * 22))), .init("created_by", .string("/bin/sh -c #(nop)  CMD [\"/bin/sh\"]")),
          .init("empty_layer", .bool(true)),
        ]),
        .object([
          .init("created", .time(hours(2))),
          .init("created_by", .string("/bin/sh -c make app && install -m 755 app /bin/app && rm -rf /var/cache/app")),
        ]),
      ])),
  ])
}

/// What the tables look like on a terminal: the files in Fixtures/tables.
@Suite("Listing pictures") struct ListingPictureTests {
  private static let names = ["ls", "ps", "history", "tree"]

  @Test(arguments: names, [80, 40]) func `Tables fit the terminal`(name: String, width: Int) throws {
    let terminal = Terminal(width: width, hasColor: false, hasBoxes: true)
    let text = try picture(name, terminal)
    #expect(text == (try fixture("tables/\(name)-\(width).txt").readText()), "\(name) \(width):\n\(text)")
    #expect(text.split(separator: "\n").allSatisfy { textWidth(String($0)) <= width })
  }

  private func picture(_ name: String, _ terminal: Terminal) throws -> String {
    let view = try SampleView.view()
    switch name {
    case "ls":
      let found = view.images.map { ListImagesCommand.Found(image: $0, names: $0.record.names) }
      return table(try ListImagesCommand.listing(found, by: .name, view), terminal)
    case "ps":
      let containers = zip(view.snapshot.containers, [5770, 0]).map { ContainerDescription($0, view, size: $1) }
      return table(ListContainersCommand.listing(containers, view, hasSizes: true), terminal)
    case "history":
      let image = try view.snapshot.image(named: "one:1").record
      return table(HistoryCommand.listing(image, try view.configuration(of: image), view), terminal)
    case "tree":
      let forest = LayerForest(view)
      return forest.text(forest.lines(), for: terminal)
    default: return ""
    }
  }

  @Test(arguments: ["df", "df-btrfs"], [80, 40])
  func `What disks hold fits the terminal, exclusive space where there is such a thing`(name: String, width: Int) throws
  {
    let terminal = Terminal(width: width, hasColor: false, hasBoxes: true)
    let tables = DiskUsageTables(usage: try SampleView.usage(hasExclusive: name == "df-btrfs"))
    let text = ([tables.summary] + tables.details).map { $0.text(for: terminal) }.joined(separator: "\n")
    #expect(text == (try fixture("tables/\(name)-\(width).txt").readText()), "\(name) \(width):\n\(text)")
    #expect(text.split(separator: "\n").allSatisfy { textWidth(String($0)) <= width })
  }

  private func table(_ listing: Listing, _ terminal: Terminal) -> String {
    Table(columns: listing.columns, rows: listing.rows.map(\.cells)).text(for: terminal)
  }

  @Test(arguments: [("image", "one:1"), ("container", "bld"), ("layer", "9a1b0b8d")])
  func `What is inspected is told line by line`(kind: String, name: String) throws {
    let view = try SampleView.view()
    let text = try InspectCommand.row(view.snapshot.object(named: name), view).cells.joined()
    #expect(text == (try fixture("tables/inspect-\(kind).txt").readText()), "\(text)")
  }

  @Test func `A tree is drawn in ASCII where box characters are not known`() throws {
    let forest = LayerForest(try SampleView.view())
    let text = forest.text(forest.lines(), for: Terminal(width: 50, hasColor: false, hasBoxes: false))
    #expect(text.utf8.allSatisfy { $0 < 0x80 })
    #expect(text.contains("|- layer 9a1b0b8de129  51.7 kB  <- localhost/one:~\n"), "\(text)")
  }

  @Test func `Layers that are their own ancestors, or stand on none, are drawn once`() throws {
    let circle = [
      try SampleView.layer("aa", on: "bb", size: 1), try SampleView.layer("bb", on: "aa", size: 2),
      try SampleView.layer("cc", on: "dd", size: 3),
    ]
    let loose = try SampleView.container("c1", "lost", of: "2d39e7fd68a5", on: "none")
    let view = StoreView(
      StoreSnapshot(layers: circle, images: [], containers: [loose]), owners: [:], at: SampleView.now
    ) { (_) throws(StorageError) in nil }
    let forest = LayerForest(view)
    let text = forest.text(forest.lines(), for: .none)
    #expect(
      text == "layer cc0000000000  3 B\nlayer aa0000000000  1 B\nlayer bb0000000000  2 B\ncontainer lost\n", "\(text)")
  }

  @Test func `Sorting, filters and references choose rows`() throws {
    let view = try SampleView.view()
    func names(_ arguments: [String], _ filters: [String], by order: ListImagesCommand.Order = .name) throws -> [String]
    {
      let filters = try ListingFilter.read(filters, known: ListImagesCommand.filters)
      let names = try arguments.map { try ListImagesCommand.Wanted.Name($0, view) }
      let found = try ListImagesCommand.Wanted(names: names, filters: filters).images(of: view)
      return try ListImagesCommand.listing(found, by: order, view).rows.map { $0.cells[0] }
    }
    let all = ["localhost/base:1", "localhost/one:1", "localhost/two:1", "quay.io/acme/two:latest", "<none>"]
    #expect(try names([], []) == all)
    #expect(try names([], [], by: .own).first == "localhost/base:1")
    #expect(try names([], [], by: .size).last == "quay.io/acme/two:latest")
    #expect(try names([], [], by: .created).last == "localhost/base:1")
    #expect(try names(["two"], []) == ["localhost/two:1", "quay.io/acme/two:latest"])
    #expect(try names(["acme/two", "localhost/o*"], []) == ["localhost/one:1", "quay.io/acme/two:latest"])
    #expect(try names(["2d39e7"], []) == ["localhost/two:1", "quay.io/acme/two:latest"])
    #expect(try names([], ["reference=localhost/*", "containers=true"]) == ["localhost/one:1", "localhost/two:1"])
    #expect(try names([], ["dangling=true"]) == ["<none>"])
    #expect(try names([], ["before=one:1"]) == ["localhost/base:1"])
    #expect(try names([], ["since=base:1", "dangling=false"]) == Array(all[1...3]))
    #expect(try names([], ["label=version=1.2"]) == all && names([], ["label=version=2"]).isEmpty)
    #expect(throws: StorageError.self) { try names([], ["nope=1"]) }
    #expect(throws: StorageError.self) { try names([], ["dangling=perhaps"]) }
    func containers(_ filters: String...) throws -> [String] {
      let filters = try ListingFilter.read(filters, known: ListContainersCommand.filters)
      return try ListContainersCommand.containers(of: view, filters).flatMap(\.names)
    }
    #expect(try containers("name=^w") == ["web"] && containers("id=b449") == ["bld"])
    #expect(try containers("ancestor=base:1") == ["web", "bld"] && containers("ancestor=one:1") == ["bld"])
    #expect(try containers("owner=podman") == ["web"] && containers("status=mounted") == ["bld"])
    #expect(try containers("label=version").count == 2 && containers("label=x").isEmpty)
    #expect(throws: StorageError.self) { try containers("name=(") }
  }
}
