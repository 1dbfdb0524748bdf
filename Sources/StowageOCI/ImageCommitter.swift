// SPDX-License-Identifier: Apache-2.0

import StowageImage
public import StowageModel
public import StowageStore

/// Which kind of image is made.
public enum ImageKind: String, Hashable, Sendable, CaseIterable {
  /// OCI, as Podman makes them.
  case oci
  /// Docker schema 2.
  case docker
}

/// What may be chosen about an image that is made of a container or an archive.
public struct CommitOptions: Sendable {
  /// Names, normalised as those of archives are; an image that has one of them loses it.
  public var names: [String] = []
  /// Who makes it.
  public var author = ""
  /// A remark.
  public var message = ""
  /// Changes to the configuration, in order.
  public var changes: [ImageChange] = []
  /// The kind.
  public var kind = ImageKind.oci
  /// Whether the image has one layer with all files, instead of those of the image below and one with the changes.
  public var isSquashed = false

  /// The image below, unchanged, and what the container has changed.
  public init() {}
}

/// Makes images of containers and of archives of files.
///
/// ```swift
/// let image = try ImageCommitter(store).commit("web", options)
/// ```
///
/// What is made is what Podman makes, with the same records (registries 12.1, chunked-and-composefs 5): to the layers of the
/// container's image comes one more, to its history one step. The new image is there whole, or not at all, also if the process dies.
public struct ImageCommitter: Sendable {
  private let store: Store

  /// Makes images in `store`.
  public init(_ store: Store) { self.store = store }

  /// Makes an image of a container.
  ///
  /// No lock is held while the container's files are read: what it writes meanwhile may be in the image or not. Owners are those
  /// that the container sees.
  ///
  /// - Parameters:
  ///   - container: a name, an identifier or its beginning.
  ///   - progress: told about the new layer; cancellation leaves nothing.
  /// - Throws: `containerUnknown`, `imageUnknown`; `usage` for a change that the kind of image cannot say; `invalidReference`;
  ///   `digestUnknown` for an image below that has no digests; `invalidMappings`, `invalidArchive`, `system`, `cancelled`.
  public func commit(
    _ container: String, _ options: CommitOptions = CommitOptions(), progress: LoadProgress = .silent
  ) throws(StorageError) -> LoadedImage {
    do throws(StorageError) {
      let record = try store.containers.find(container)
      let below = try record.image.map { (id) throws(StorageError) in
        try SavePlan(id, names: try store.images.find(id.rawValue).record.names, in: store)
      }
      let draft = try ConfigDraft(options, below)
      let cancellation = CancellationFlag(asking: progress.isCancelled)
      let layer = try LayerSpool(named: "layer of container \(container)", cancellation) {
        (sink) throws(StorageError) in
        if options.isSquashed {
          try store.layers.writeTree(of: record.layer, isLayer: true, cancellation, to: sink)
        } else {
          try store.containers.writeChanges(of: record, cancellation, to: sink)
        }
      }
      let origin = below?.names.first ?? below?.id.rawValue
      return try make(
        draft, layer, over: options.isSquashed ? nil : below, options,
        comment: origin.map { "FROM \($0)" } ?? "", progress)
    } catch {
      throw error.wrapped("committing \(container)")
    }
  }

  /// Makes an image of one layer from an archive of files.
  ///
  /// - Parameter source: a tar file, compressed or not.
  /// - Throws: `invalidArchive` if it is none; `usage`, `invalidReference`, `system`, `cancelled`.
  public func `import`(
    _ source: ImageSource, _ options: CommitOptions = CommitOptions(), limit: SizeLimit? = nil,
    progress: LoadProgress = .silent
  ) throws(StorageError) -> LoadedImage {
    do throws(StorageError) {
      let draft = try ConfigDraft(options, nil)
      guard case .file(let file) = try ArchiveInput.open(source, limit) else {
        throw StorageError(.usage, "it is a directory, not an archive of files")
      }
      let layer = try LayerSpool(file, named: source.description, CancellationFlag(asking: progress.isCancelled))
      guard layer.blob.size > 0 else { throw StorageError(.invalidArchive, "it is empty") }
      return try make(draft, layer, over: nil, options, comment: "Imported from \(source)", progress, limit)
    } catch {
      throw error.wrapped("importing \(source)")
    }
  }

  private func make(
    _ configuration: ConfigDraft, _ layer: LayerSpool, over below: SavePlan?, _ options: CommitOptions,
    comment: String, _ progress: LoadProgress, _ limit: SizeLimit? = nil
  ) throws(StorageError) -> LoadedImage {
    var configuration = configuration
    let now = Timestamp.now()
    // An OCI image has one place for a remark.
    let isRemarkOfStep = options.kind == .oci && !options.message.isEmpty
    let step = ConfigDraft.Step(
      created: now, createdBy: configuration.command, author: options.author,
      comment: isRemarkOfStep ? options.message : comment, message: options.message)
    let config = configuration.bytes(adding: layer.digest, step, isAlone: below == nil)
    var names: [String] = []
    for name in options.names { names.append(try ImageName(normalizing: name).description) }
    let plan = try ImagePlan(
      config: config, options.kind.family, layer, over: below, created: now, names: withoutRepeats(names))
    return try ImageLoader(store).put(plan, limit, progress)
  }
}

extension ImageKind {
  var family: ManifestFamily { self == .oci ? .oci : .docker }
}

extension ConfigDraft {
  fileprivate init(_ options: CommitOptions, _ below: SavePlan?) throws(StorageError) {
    try self.init(
      options.kind.family, base: below.map { ($0.config, ImageManifest.family(of: $0.manifest)) })
    for change in options.changes { try apply(change) }
    for name in options.names {
      guard try ImageName(normalizing: name).digest == nil else {
        throw StorageError(.invalidReference, "image name \(goQuoted(name)): a digest is not a name to give; use a tag")
      }
    }
  }
}
