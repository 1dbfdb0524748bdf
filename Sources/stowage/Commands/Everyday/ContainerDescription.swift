// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// A container as documents (docs/json.md) and for templates, whose fields have Podman's names.
struct ContainerDescription {
  let record: ContainerRecord
  /// What it has changed, if that was measured.
  let size: Int64?
  private let view: StoreView

  init(_ record: ContainerRecord, _ view: StoreView, size: Int64? = nil) {
    self.record = record
    self.view = view
    self.size = size
  }

  var mountPoint: String? { view.layers[record.layer]?.mountPoint }
  var state: String { (view.layers[record.layer]?.mountCount ?? 0) > 0 ? "mounted" : "unmounted" }
  var ownerText: String { view.owner(of: record)?.rawValue ?? "-" }
  /// The image's name, else its short identifier; `-` for a container without image.
  var imageText: String { view.imageName(of: record) ?? record.image.map { shortID($0.rawValue) } ?? "-" }

  /// The object of `ps`.
  var summary: JSONValue { .object(members) }

  private var members: [JSONValue.Member] {
    [
      .init("id", .string(record.id.rawValue)), .init("names", .texts(record.names)),
      .init("image", .optional(record.image?.rawValue)), .init("image-name", .optional(view.imageName(of: record))),
      .init("owner", .optional(view.owner(of: record)?.rawValue)), .init("created", .time(record.created)),
      .init("state", .string(state)), .init("mount-point", .optional(mountPoint)),
      .init("mount-count", .integer(view.layers[record.layer]?.mountCount ?? 0)),
      .init("layer", .string(record.layer.rawValue)), .init("size", .optional(size)),
    ]
  }

  /// The object of `inspect`.
  func document(_ configuration: ImageConfiguration) -> JSONValue {
    func maps(_ maps: [IDMapping]) -> JSONValue {
      .array(
        maps.map {
          .object([
            .init("container-id", .integer($0.containerID)), .init("host-id", .integer($0.hostID)),
            .init("size", .integer($0.size)),
          ])
        })
    }
    return .object(
      [.init("kind", .string("container"))] + members + [
        .init("labels", .table(configuration.labels)), .init("configuration", configuration.settings),
        .init("data", .texts(record.bigDataNames)), .init("uid-map", maps(record.idMaps.uids)),
        .init("gid-map", maps(record.idMaps.gids)),
        .init("parent", .optional(view.layers[record.layer]?.record.parent?.rawValue)),
      ])
  }

  /// The fields of a row of `ps`.
  var rowFields: JSONValue {
    let age = ageText(of: record.created, at: view.now)
    return .object([
      .init("ID", .string(shortID(record.id.rawValue))), .init("Id", .string(record.id.rawValue)),
      .init("Names", .string(record.names.joined(separator: ","))), .init("Name", .string(record.names.first ?? "")),
      .init("Image", .string(imageText)), .init("ImageID", .optional(record.image?.rawValue)),
      .init("Owner", .string(ownerText)), .init("CreatedAt", .time(record.created)), .init("Created", .string(age)),
      .init("CreatedHuman", .string(age)), .init("RunningFor", .string(age)), .init("State", .string(state)),
      .init("Status", .string(state)), .init("Size", .string(sizeText(size))),
      .init("Mountpoint", .string(mountPoint ?? "")), .init("Layer", .string(record.layer.rawValue)),
    ])
  }

  /// The fields for `inspect`.
  func fields(_ configuration: ImageConfiguration) -> JSONValue {
    .object([
      .init("Id", .string(record.id.rawValue)), .init("Name", .string(record.names.first ?? "")),
      .init("Names", .texts(record.names)), .init("Created", .time(record.created)),
      .init("Image", .optional(record.image?.rawValue)), .init("ImageName", .optional(view.imageName(of: record))),
      .init("State", .object([.init("Status", .string(state)), .init("Mounted", .bool(state == "mounted"))])),
      .init("Owner", .string(ownerText)), .init("MountPoint", .optional(mountPoint)),
      .init("Layer", .string(record.layer.rawValue)), .init("Size", .optional(size)),
      .init("Config", configuration.settings), .init("Labels", .table(configuration.labels)),
    ])
  }
}
