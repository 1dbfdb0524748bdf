// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `df`: what a store takes on disk.
enum DiskUsageCommand {
  private static let verbose = OptionDefinition("--verbose", "-v", usage: "Show each image, container and layer")

  static let definition = CommandDefinition(
    "df", arguments: .none, usage: "Show what images, containers and layers take on disk",
    details: """
      Measures the graph root, the image store and the run root as "du --block-size=1 -s" does: allocated blocks, directories and
      records included, a file with several names once. While nothing is mounted the total is that of "du"; what is mounted is
      not counted. On file systems with reflinks, space that files share is counted for each of them, as "du" does.

      Each layer counts once. SHARED is what several images have, UNIQUE what only one has, and RECLAIMABLE what no image in use
      and no container needs: "prune --all" frees that of images, "gc" that of left-overs, "delete-layer" that of layers. DOWNLOADS
      is what is being made or deleted now.
      """, options: [verbose, .json, Terminal.option]
  ) { (context: CommandContext) throws(StorageError) in
    let terminal = try Terminal(color: context.options[text: Terminal.option])
    let usage = try context.store.diskUsage()
    let free = try context.store.places().first { $0.role == .graphRoot }?.freeBytes
    if context.wantsJSON {
      context.console.printJSON(usage.json(free: free))
      return .success
    }
    context.console.write(summary(usage).text(for: terminal))
    if let free { context.console.print("Free on disk: \(bytesText(free))") }
    if context.options[flag: verbose] {
      for table in [images(usage), containers(usage), layers(usage), leftovers(usage)] where !table.rows.isEmpty {
        context.console.write("\n" + table.text(for: terminal))
      }
    }
    return .success
  }

  private static func summary(_ usage: DiskUsage) -> Table {
    var table = Table(
      columns: [
        .init("TYPE"), .init("COUNT", .right), .init("IN USE", .right, rank: 5), .init("SIZE", .right),
        .init("SHARED", .right, rank: 3), .init("UNIQUE", .right, rank: 2), .init("RECLAIMABLE", .right),
      ], rows: [])
    for part in usage.parts {
      let space = part.space
      table.rows.append([
        part.kind.title, part.count.map(String.init) ?? "-", part.inUse.map(String.init) ?? "-", bytesText(space.bytes),
        bytesText(space.shared), bytesText(space.unique), share(space.reclaimable, of: space.bytes),
      ])
    }
    table.rows.append([
      "Total", "", "", bytesText(usage.bytes), "", "", share(usage.reclaimable, of: usage.bytes),
    ])
    return table
  }

  private static func images(_ usage: DiskUsage) -> Table {
    var table = Table(
      columns: [
        .init("IMAGE", cut: .middle), .init("ID"), .init("SIZE", .right), .init("SHARED", .right, rank: 3),
        .init("UNIQUE", .right, rank: 4), .init("RECLAIMABLE", .right, rank: 5), .init("CONTAINERS", .right, rank: 2),
      ], rows: [])
    for image in usage.images.sorted(by: { $0.space.bytes > $1.space.bytes }) {
      let (names, space) = (image.record.names, image.space)
      let more = names.count > 1 ? " (+\(names.count - 1) name\(names.count > 2 ? "s" : ""))" : ""
      table.rows.append([
        (names.first ?? "<none>") + more, shortID(image.record.id.rawValue), bytesText(space.bytes),
        bytesText(space.shared), bytesText(space.unique), bytesText(space.reclaimable ?? 0),
        "\(image.containers.count)",
      ])
    }
    return table
  }

  private static func containers(_ usage: DiskUsage) -> Table {
    var table = Table(
      columns: [
        .init("CONTAINER", cut: .middle), .init("ID"), .init("SIZE", .right), .init("STATE", rank: 4),
        .init("IMAGE", cut: .middle, rank: 3),
      ], rows: [])
    for container in usage.containers.sorted(by: { $0.space.bytes > $1.space.bytes }) {
      let record = container.record
      let image = usage.images.first { $0.record.id == record.image }?.record.names.first
      table.rows.append([
        record.names.first ?? "<none>", shortID(record.id.rawValue), bytesText(container.space.bytes),
        container.isMounted ? "mounted" : "unmounted", image ?? record.image.map { shortID($0.rawValue) } ?? "-",
      ])
    }
    return table
  }

  private static func layers(_ usage: DiskUsage) -> Table {
    var table = Table(
      columns: [
        .init("LAYER"), .init("SIZE", .right), .init("RECLAIMABLE", .right, rank: 4),
        .init("USED BY", cut: .end, rank: 5),
      ], rows: [])
    for layer in usage.layers.sorted(by: { $0.space.bytes > $1.space.bytes }) {
      let container = layer.container.map { id in
        "container \(usage.containers.first { $0.record.id == id }?.record.names.first ?? shortID(id.rawValue))"
      }
      let images = layer.images.isEmpty ? nil : "\(layer.images.count) image\(layer.images.count > 1 ? "s" : "")"
      let users = [images, container].compactMap { $0 }
      table.rows.append([
        shortID(layer.record.id.rawValue), bytesText(layer.space.bytes), bytesText(layer.space.reclaimable ?? 0),
        users.isEmpty ? "-" : users.joined(separator: ", "),
      ])
    }
    return table
  }

  private static func leftovers(_ usage: DiskUsage) -> Table {
    Table(
      columns: [.init("LEFT-OVER"), .init("SIZE", .right), .init("PATH", cut: .middle)],
      rows: usage.leftovers.map { [$0.kind.rawValue, bytesText($0.bytes), $0.path] })
  }

  /// `4.97 kB (0%)`; the part is cut down, and never more than the whole.
  private static func share(_ bytes: Int64?, of whole: Int64) -> String {
    guard let bytes else { return "-" }
    let percent = whole > 0 ? min(100, max(0, Int(Double(bytes) / Double(whole) * 100))) : 0
    return "\(bytesText(bytes)) (\(percent)%)"
  }
}

extension DiskUsage.Part.Kind {
  fileprivate var title: String {
    switch self {
    case .images: "Images"
    case .containers: "Containers"
    case .layers: "Other layers"
    case .leftovers: "Left-overs"
    case .downloads: "Downloads"
    case .records: "Records"
    }
  }
}

extension DiskUsage {
  /// The document of `df --json`: all of it, whatever is asked for.
  fileprivate func json(free: UInt64?) -> JSONValue {
    .object([
      .init("bytes", .integer(bytes)), .init("reclaimable", .integer(reclaimable)),
      .init("free", free.map { .number("\($0)") } ?? .null),
      .init(
        "roots", .array(roots.map { .object([.init("path", .string($0.path)), .init("bytes", .integer($0.bytes))]) })),
      .init(
        "parts",
        .array(
          parts.map { part in
            .object(
              [
                .init("kind", .string(part.kind.rawValue)), .init("count", part.count.map { .integer($0) } ?? .null),
                .init("in-use", part.inUse.map { .integer($0) } ?? .null),
              ] + part.space.members)
          })),
      .init("images", .array(images.map(\.json))), .init("containers", .array(containers.map(\.json))),
      .init("layers", .array(layers.map(\.json))),
      .init(
        "leftovers",
        .array(
          leftovers.map {
            .object([
              .init("kind", .string($0.kind.rawValue)), .init("path", .string($0.path)),
              .init("bytes", .integer($0.bytes)),
            ])
          })),
    ])
  }
}

extension DiskUsage.Space {
  fileprivate var members: [JSONValue.Member] {
    [
      .init("bytes", .integer(bytes)), .init("shared", .integer(shared)), .init("unique", .integer(unique)),
      .init("reclaimable", reclaimable.map { .integer($0) } ?? .null),
    ]
  }
}

private func list(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }

extension DiskUsage.Image {
  fileprivate var json: JSONValue {
    .object(
      [
        .init("id", .string(record.id.rawValue)), .init("names", list(record.names)), .init("in-use", .bool(isInUse)),
        .init("layers", list(layers.map(\.rawValue))), .init("containers", list(containers.map(\.rawValue))),
      ] + space.members)
  }
}

extension DiskUsage.Container {
  fileprivate var json: JSONValue {
    .object(
      [
        .init("id", .string(record.id.rawValue)), .init("names", list(record.names)),
        .init("image", record.image.map { .string($0.rawValue) } ?? .null),
        .init("layer", .string(record.layer.rawValue)),
        .init("mounted", .bool(isMounted)),
      ] + space.members)
  }
}

extension DiskUsage.Layer {
  fileprivate var json: JSONValue {
    .object(
      [
        .init("id", .string(record.id.rawValue)), .init("names", list(record.names)),
        .init("parent", record.parent.map { .string($0.rawValue) } ?? .null), .init("mounted", .bool(isMounted)),
        .init("images", list(images.map(\.rawValue))),
        .init("container", container.map { .string($0.rawValue) } ?? .null),
      ] + space.members)
  }
}
