// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// An image as documents (docs/json.md) and for templates, whose fields have Podman's names.
struct ImageDescription {
  let image: ImageInfo
  let configuration: ImageConfiguration
  private let view: StoreView

  init(_ image: ImageInfo, _ view: StoreView, configuration: ImageConfiguration) {
    self.image = image
    self.view = view
    self.configuration = configuration
  }

  private var size: Int64? { view.sizes.size(of: image.record) }
  private var own: Int64? { view.sizes.ownSize(of: image.record) }
  private var containers: [ContainerRecord] { view.sizes.containers(of: image.id) }
  private var digest: String? { (image.record.digest ?? image.digests.first)?.description }

  /// The object of `ls`.
  var summary: JSONValue { .object(members) }

  private var members: [JSONValue.Member] {
    [
      .init("id", .string(image.id.rawValue)), .init("names", .texts(image.record.names)),
      .init("digest", .optional(digest)), .init("created", .time(image.record.created)), .init("size", .optional(size)),
      .init("own-size", .optional(own)), .init("labels", .table(configuration.labels)),
      .init("layer", .optional(image.record.layer?.rawValue)), .init("read-only", .bool(image.isReadOnly)),
      .init("containers", .texts(containers.map(\.id.rawValue))),
    ]
  }

  /// The object of `inspect`.
  var document: JSONValue {
    let layers = view.sizes.chain(of: image.record).map { id -> JSONValue in
      let record = view.layers[id]?.record
      return .object([
        .init("id", .string(id.rawValue)), .init("diff-digest", .optional(record?.diffDigest?.description)),
        .init("size", .optional(view.sizes.size(of: id))), .init("root", .optional(view.root(of: id))),
        .init("images", .texts(view.sizes.images(with: id).map(\.id.rawValue))),
      ])
    }
    return .object(
      [.init("kind", .string("image"))] + members + [
        .init("digests", .texts(image.digests.map(\.description))), .init("os", .string(configuration.os)),
        .init("architecture", .string(configuration.architecture)), .init("author", .string(configuration.author)),
        .init("manifest-type", .string(configuration.manifestType)),
        .init("configuration", configuration.settings), .init("layers", .array(layers)),
        .init("history", .array(HistoryCommand.documents(of: image.record, configuration, view))),
      ])
  }

  /// The fields of a row of `ls`.
  func rowFields(name: String?) -> JSONValue {
    let parts = name.map(splitName)
    let age = ageText(of: image.record.created, at: view.now)
    return .object([
      .init("ID", .string(shortID(image.id.rawValue))), .init("Id", .string(image.id.rawValue)),
      .init("Repository", .string(parts?.repository ?? unnamed)), .init("Tag", .string(parts?.tag ?? unnamed)),
      .init("Name", .string(name ?? unnamed)), .init("Names", .texts(image.record.names)),
      .init("Digest", .string(digest ?? unnamed)), .init("Created", .string(age)), .init("CreatedSince", .string(age)),
      .init("CreatedAt", .time(image.record.created)), .init("Size", .string(sizeText(size))),
      .init("VirtualSize", .optional(size)), .init("Own", .string(sizeText(own))),
      .init("Containers", .integer(containers.count)), .init("Labels", .table(configuration.labels)),
      .init("Dangling", .bool(image.record.names.isEmpty)), .init("ReadOnly", .bool(image.isReadOnly)),
    ])
  }

  /// The fields for `inspect`.
  var fields: JSONValue {
    let repositories = Set(image.record.names.map { splitName($0).repository }).sorted { $0.precedesByBytes($1) }
    let digests = digest.map { digest in repositories.map { "\($0)@\(digest)" } } ?? []
    let history = HistoryCommand.steps(of: image.record, configuration, view).reversed().map { $0.step }
    return .object([
      .init("Id", .string(image.id.rawValue)), .init("Digest", .optional(digest)),
      .init("RepoTags", .texts(image.record.names)), .init("RepoDigests", .texts(digests)),
      .init("Created", .time(configuration.created ?? image.record.created)),
      .init("Config", configuration.settings), .init("Labels", .table(configuration.labels)),
      .init("Author", .string(configuration.author)), .init("Architecture", .string(configuration.architecture)),
      .init("Os", .string(configuration.os)), .init("Size", .optional(size)), .init("VirtualSize", .optional(size)),
      .init("OwnSize", .optional(own)), .init("User", configuration.settings["User"] ?? .string("")),
      .init("NamesHistory", .texts(image.record.namesHistory)),
      .init("ManifestType", .string(configuration.manifestType)),
      .init("RootFS", .object([.init("Type", .string("layers")), .init("Layers", .texts(configuration.diffIDs))])),
      .init(
        "History",
        .array(
          history.map { .object([.init("created", .time($0.created)), .init("created_by", .string($0.createdBy))]) })),
      .init("Containers", .texts(containers.map(\.id.rawValue))),
    ])
  }
}
