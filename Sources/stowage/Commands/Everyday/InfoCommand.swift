import Glibc
import Stowage
// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageConfig
import StowageModel
import StowageRegistry
import StowageStore
import StowageSystem
import SystemPackage

/// `info`: versions, driver, places and configuration on one page.
enum InfoCommand {
  static let definition = CommandDefinition(
    "info", arguments: .none, usage: "Show versions, driver, places and configuration of the store",
    details: """
      What a report of a fault should say: the versions of this program and of the kernel, the driver with the features that were
      found, file systems and free space of all places, and the configuration files that were read, in order.
      "config --explain" shows where each setting comes from.
      """, options: [.json], beforeStore: show
  ) { (_: CommandContext) throws(StorageError) in .success }

  /// Needs the settings as well as the store, so it opens the store itself.
  @Sendable private static func show(
    _ settings: StoreSettings, _ options: OptionValues, _ arguments: [String], _ console: Console
  ) throws(StorageError) -> ExitStatus? {
    var selected = settings.options
    selected.lockTimeout = try LockWaits.limit(options[text: GlobalOptions.lockTimeout])
    let store = try Store.open(selected)
    var remarks = settings.remarks.map { "\($0.origin): \($0)" }
    let registries = registries(&remarks)
    let page = Page(
      format: store.version().first?.1 ?? "", kernel: kernel(), uid: getuid(), driver: store.driverName,
      driverOptions: store.driverOptions, features: try store.status(), places: try store.places(),
      files: settings.files.map(\.path), registries: registries, remarks: remarks)
    if options[flag: .json] { console.printJSON(page.json) } else { console.write(page.text) }
    return .success
  }

  /// The files that short names of images are looked up in; what is wrong with them is a remark, since nothing else needs them.
  private static func registries(_ remarks: inout [String]) -> [String] {
    do throws(StorageError) {
      let paths = try registriesConfigurationPaths()
      do throws(StorageError) { _ = try loadRegistriesConfiguration() } catch { remarks.append(error.plainMessage) }
      return paths
    } catch {
      remarks.append(error.plainMessage)
      return []
    }
  }

  /// The kernel's name and release.
  private static func kernel() -> String {
    let texts = ["ostype", "osrelease"].map { (name: String) -> String in
      // A kernel that tells no name is shown all the same.
      guard let bytes = try? Syscall.readFile(FilePath("/proc/sys/kernel/\(name)"), limit: 256) else { return "?" }
      return String(decoding: bytes.prefix { $0 != 0x0a }, as: UTF8.self)
    }
    return texts.joined(separator: " ")
  }
}

/// What `info` shows.
private struct Page {
  let format: String
  let kernel: String
  let uid: UInt32
  let driver: String
  let driverOptions: [String]
  let features: [(String, String)]
  let places: [StorePlace]
  let files: [String]
  let registries: [String]
  let remarks: [String]

  private var counts: (layers: Int, images: Int, containers: Int) {
    places.reduce(into: (0, 0, 0)) { sum, place in
      sum = (sum.0 + place.layers, sum.1 + place.images, sum.2 + place.containers)
    }
  }

  var text: String {
    let counts = counts
    var rows = [
      ["stowage", stowageVersion], ["format", "containers/storage \(format)"], ["kernel", kernel],
      ["user", uid == 0 ? "root" : "\(uid)"],
      ["contents", "images: \(counts.images), containers: \(counts.containers), layers: \(counts.layers)"],
      ["driver", driver],
    ]
    rows += driverOptions.map { ["option", $0] }
    rows += features.map { ["feature", "\($0.0): \($0.1)"] }
    for place in places {
      let space = "\(place.fileSystem), \(bytesText(place.freeBytes)) free of \(bytesText(place.totalBytes))"
      rows.append([
        place.role.rawValue,
        "\(place.path) (\(place.exists ? space : "missing")\(place.isWritable ? "" : ", only read"))",
      ])
      rows += place.losses.map { ["damage", $0] }
    }
    rows += (files + registries).map { ["configuration", $0] } + remarks.map { ["note", $0] }
    var table = Table(columns: [.init("NAME"), .init("VALUE")], rows: rows)
    table.hasHeading = false
    return table.text(for: .none)
  }

  var json: JSONValue {
    let counts = counts
    func list(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }
    return .object([
      .init("version", .string(stowageVersion)), .init("format", .string(format)), .init("kernel", .string(kernel)),
      .init("uid", .integer(uid)), .init("images", .integer(counts.images)),
      .init("containers", .integer(counts.containers)), .init("layers", .integer(counts.layers)),
      .init(
        "driver",
        .object([
          .init("name", .string(driver)), .init("options", list(driverOptions)),
          .init(
            "features", .array(features.map { .object([.init("name", .string($0.0)), .init("value", .string($0.1))]) })),
        ])),
      .init(
        "places",
        .array(
          places.map { place in
            .object([
              .init("role", .string(place.role.rawValue)), .init("path", .string(place.path)),
              .init("exists", .bool(place.exists)), .init("writable", .bool(place.isWritable)),
              .init("file-system", .string(place.fileSystem)), .init("total", .number("\(place.totalBytes)")),
              .init("free", .number("\(place.freeBytes)")), .init("damage", list(place.losses)),
            ])
          })),
      .init("configuration", list(files)), .init("registries", list(registries)), .init("notes", list(remarks)),
    ])
  }
}
