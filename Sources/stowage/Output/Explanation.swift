// SPDX-License-Identifier: Apache-2.0
import StowageConfig
import StowageModel

/// The settings of a store with their origins, for people and for programs (`config --explain`).
struct Explanation {
  private struct Row {
    let name: String
    let value: JSONValue
    let origin: SettingOrigin
  }

  private let rows: [Row]
  private let files: [String]
  private let remarks: [ConfigurationRemark]

  /// The names are those of the members that `config` prints; a list has a row for each of its elements, and what nobody
  /// set shows the value that holds then.
  init(_ settings: StoreSettings) {
    func texts(_ name: String, _ list: [Setting<String>]) -> [Row] {
      if list.isEmpty { return [Row(name: name, value: .string(""), origin: .builtIn)] }
      return list.map { Row(name: name, value: .string($0.value), origin: $0.origin) }
    }
    func text(_ name: String, _ setting: Setting<String>, otherwise value: String = "") -> [Row] {
      texts(name, [setting.value.isEmpty ? Setting(value, from: setting.origin) : setting])
    }
    func size(_ name: String, _ setting: Setting<UInt32>, otherwise value: UInt32) -> [Row] {
      let number = setting.value == 0 ? value : setting.value
      return [Row(name: name, value: .number("\(number)"), origin: setting.origin)]
    }
    func flag(_ name: String, _ setting: Setting<Bool>) -> [Row] {
      [Row(name: name, value: .bool(setting.value), origin: setting.origin)]
    }
    rows =
      text("runroot", settings.runRoot) + text("root", settings.graphRoot) + text("imagestore", settings.imageStore)
      + text("driver", settings.driverName) + texts("driver-priority", settings.driverPriority)
      + texts("driver-options", settings.driverOptions)
      + text("root_auto_ns_user", settings.rootAutoUserNSUser, otherwise: "containers")
      + size("auto_userns_min_size", settings.autoUserNSMinSize, otherwise: 1024)
      + size("auto_userns_max_size", settings.autoUserNSMaxSize, otherwise: 65536)
      + (settings.pullOptions ?? [:]).sorted { $0.key < $1.key }.map {
        Row(name: "PullOptions.\($0)", value: .string($1.value), origin: $1.origin)
      } + flag("disable-volatile", settings.disableVolatile) + flag("pin_layers", settings.pinsLayers)
      + flag("transient_store", settings.transientStore)
    files = settings.files.map(\.path)
    remarks = settings.remarks
  }

  /// Three columns: name, value (`-` for none), origin. Behind them a line for each file read and for what is odd.
  var table: String {
    let cells =
      [["NAME", "VALUE", "ORIGIN"]] + rows.map { [$0.name, Self.shown($0.value), $0.origin.description] }
    let widths = (0..<2).map { column in cells.reduce(0) { max($0, $1[column].count) } }
    var out = cells.reduce("") { text, row in
      text + padded(row[0], to: widths[0] + 2) + padded(row[1], to: widths[1] + 2) + row[2] + "\n"
    }
    if !files.isEmpty || !remarks.isEmpty { out += "\n" }
    for file in files { out += "read: \(file)\n" }
    for remark in remarks { out += "note: \(remark.origin): \(remark)\n" }
    return out
  }

  /// `{"settings":[{"name":…,"value":…,"origin":{…}}],"files":[…],"notes":[{"text":…,"origin":{…}}]}`
  var json: JSONValue {
    .object([
      .init(
        "settings",
        .array(
          rows.map {
            .object([.init("name", .string($0.name)), .init("value", $0.value), .init("origin", Self.json($0.origin))])
          })),
      .init("files", .array(files.map { .string($0) })),
      .init(
        "notes",
        .array(
          remarks.map {
            .object([.init("text", .string($0.description)), .init("origin", Self.json($0.origin))])
          })),
    ])
  }

  /// An object whose member `kind` says what the others are.
  private static func json(_ origin: SettingOrigin) -> JSONValue {
    switch origin {
    case .builtIn: .object([.init("kind", .string("default"))])
    case .file(let path, let line, let column):
      .object([
        .init("kind", .string("file")), .init("path", .string(path)), .init("line", .number("\(line)")),
        .init("column", .number("\(column)")),
      ])
    case .environment(let name): .object([.init("kind", .string("environment")), .init("name", .string(name))])
    case .option(let name): .object([.init("kind", .string("option")), .init("name", .string(name))])
    }
  }

  private static func shown(_ value: JSONValue) -> String {
    switch value {
    case .string(let text): text.isEmpty ? "-" : text.utf8.contains { $0 < 0x20 } ? goQuoted(text) : text
    case .number(let text): text
    case .bool(let flag): flag ? "true" : "false"
    default: ""
    }
  }
}
