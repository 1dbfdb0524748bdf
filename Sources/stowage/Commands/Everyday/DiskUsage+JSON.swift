// SPDX-License-Identifier: Apache-2.0
import StowageModel
import StowageStore

extension DiskUsage {
  /// The document of `df --json`: all of it, whatever is asked for.
  func json(free: UInt64?) -> JSONValue {
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
      .init("exclusive", exclusive.map { .integer($0) } ?? .null),
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
