// SPDX-License-Identifier: Apache-2.0
import StowageModel
import StowageStore

/// The tables of `df`.
struct DiskUsageTables {
  let usage: DiskUsage

  /// Whether files share blocks here, so that there is something to tell.
  private var hasExclusive: Bool { usage.parts.contains { $0.space.exclusive != nil } }

  /// The kinds of things, and all together.
  var summary: Table {
    let parts = parts
    return Table(columns: parts.columns, rows: parts.rows.map(\.cells) + [total])
  }

  /// The kinds of things.
  var parts: Listing {
    var columns: [Table.Column] = [
      .init("TYPE"), .init("COUNT", .right, rank: 6), .init("IN USE", .right, rank: 5), .init("SIZE", .right),
      .init("SHARED", .right, rank: 3), .init("UNIQUE", .right, rank: 2),
    ]
    if hasExclusive { columns.append(.init("EXCLUSIVE", .right, rank: 4)) }
    columns.append(.init("RECLAIMABLE", .right))
    return Listing(columns: columns, rows: usage.parts.map(row))
  }

  /// A row, with fields named as in Podman's `system df`.
  private func row(_ part: DiskUsage.Part) -> Listing.Row {
    let (space, reclaimable) = (part.space, share(part.space.reclaimable, of: part.space.bytes))
    var cells = [
      part.kind.title, part.count.map(String.init) ?? "-", part.inUse.map(String.init) ?? "-", bytesText(space.bytes),
      bytesText(space.shared), bytesText(space.unique),
    ]
    if hasExclusive { cells.append(exclusive(space)) }
    return Listing.Row(
      cells: cells + [reclaimable],
      fields: .object([
        .init("Type", .string(part.kind.title)), .init("Total", .integer(part.count ?? 0)),
        .init("TotalCount", .integer(part.count ?? 0)), .init("Active", .integer(part.inUse ?? 0)),
        .init("RawSize", .integer(space.bytes)), .init("RawReclaimable", .integer(space.reclaimable ?? 0)),
        .init("Size", .string(bytesText(space.bytes))), .init("Reclaimable", .string(reclaimable)),
        .init("Shared", .string(bytesText(space.shared))), .init("Unique", .string(bytesText(space.unique))),
        .init("Exclusive", .string(exclusive(space))),
      ]), document: nil, identifier: nil)
  }

  private var total: [String] {
    let exclusive = usage.parts.compactMap(\.space.exclusive).reduce(0, +)
    return ["Total", "", "", bytesText(usage.bytes), "", ""] + (hasExclusive ? [bytesText(exclusive)] : [])
      + [share(usage.reclaimable, of: usage.bytes)]
  }

  /// What `--verbose` adds: a table of each kind of which there is something.
  var details: [Table] { [images, containers, layers, leftovers].filter { !$0.rows.isEmpty } }

  private var images: Table {
    var columns: [Table.Column] = [
      .init("IMAGE", cut: .middle, wanted: 24), .init("ID"), .init("SIZE", .right), .init("SHARED", .right, rank: 3),
      .init("UNIQUE", .right, rank: 4),
    ]
    if hasExclusive { columns.append(.init("EXCLUSIVE", .right, rank: 1)) }
    columns += [.init("RECLAIMABLE", .right, rank: 5), .init("CONTAINERS", .right, rank: 2)]
    let sorted = usage.images.sorted { $0.space.bytes > $1.space.bytes }
    return Table(
      columns: columns,
      rows: sorted.map { image in
        let (names, space) = (image.record.names, image.space)
        let more = names.count > 1 ? " (+\(names.count - 1) name\(names.count > 2 ? "s" : ""))" : ""
        let cells = [
          (names.first ?? "<none>") + more, shortID(image.record.id.rawValue), bytesText(space.bytes),
          bytesText(space.shared), bytesText(space.unique),
        ]
        return cells + (hasExclusive ? [exclusive(space)] : [])
          + [bytesText(space.reclaimable ?? 0), "\(image.containers.count)"]
      })
  }

  private var containers: Table {
    var columns: [Table.Column] = [.init("CONTAINER", cut: .middle), .init("ID"), .init("SIZE", .right)]
    if hasExclusive { columns.append(.init("EXCLUSIVE", .right, rank: 5)) }
    columns += [.init("STATE", rank: 4), .init("IMAGE", cut: .middle, rank: 3)]
    let sorted = usage.containers.sorted { $0.space.bytes > $1.space.bytes }
    return Table(
      columns: columns,
      rows: sorted.map { container in
        let record = container.record
        let image = usage.images.first { $0.record.id == record.image }?.record.names.first
        let cells = [record.names.first ?? "<none>", shortID(record.id.rawValue), bytesText(container.space.bytes)]
        return cells + (hasExclusive ? [exclusive(container.space)] : [])
          + [
            container.isMounted ? "mounted" : "unmounted",
            image ?? record.image.map { shortID($0.rawValue) } ?? "-",
          ]
      })
  }

  private var layers: Table {
    var columns: [Table.Column] = [.init("LAYER"), .init("SIZE", .right)]
    if hasExclusive { columns.append(.init("EXCLUSIVE", .right, rank: 5)) }
    columns += [.init("RECLAIMABLE", .right, rank: 4), .init("USED BY", cut: .end, rank: 5)]
    let sorted = usage.layers.sorted { $0.space.bytes > $1.space.bytes }
    return Table(
      columns: columns,
      rows: sorted.map { layer in
        [shortID(layer.record.id.rawValue), bytesText(layer.space.bytes)]
          + (hasExclusive ? [exclusive(layer.space)] : []) + [
            bytesText(layer.space.reclaimable ?? 0), users(of: layer),
          ]
      })
  }

  private func users(of layer: DiskUsage.Layer) -> String {
    let container = layer.container.map { id in
      "container \(usage.containers.first { $0.record.id == id }?.record.names.first ?? shortID(id.rawValue))"
    }
    let images = layer.images.isEmpty ? nil : "\(layer.images.count) image\(layer.images.count > 1 ? "s" : "")"
    let users = [images, container].compactMap { $0 }
    return users.isEmpty ? "-" : users.joined(separator: ", ")
  }

  private var leftovers: Table {
    Table(
      columns: [.init("LEFT-OVER"), .init("SIZE", .right), .init("PATH", cut: .middle)],
      rows: usage.leftovers.map { [$0.kind.rawValue, bytesText($0.bytes), $0.path] })
  }

  private func exclusive(_ space: DiskUsage.Space) -> String { space.exclusive.map { bytesText($0) } ?? "-" }

  /// `4.97 kB (0%)`; the part is cut down, and never more than the whole.
  private func share(_ bytes: Int64?, of whole: Int64) -> String {
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
