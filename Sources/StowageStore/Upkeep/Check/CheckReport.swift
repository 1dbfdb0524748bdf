// SPDX-License-Identifier: Apache-2.0

public import StowageModel

/// How thoroughly a store is checked.
public struct CheckOptions: Hashable, Sendable {
  /// Layers that nothing uses are reported when they are older than so many seconds.
  public var maximumAge: Int64 = 24 * 60 * 60
  /// Whether the trees of layers are compared with what their archives say.
  public var comparesContents = true

  /// A day; everything.
  public init() {}
}

/// One thing that is wrong with a layer, image or container.
public struct CheckFinding: Hashable, Sendable {
  /// What may be done about it.
  public enum Remedy: Hashable, Sendable {
    /// The object is damaged: repair deletes it.
    case deletion
    /// The driver can restore it from the records.
    case restoration
    /// The object may be healthy (a mount failed, a file could not be read, only times differ, or there is nothing to verify
    /// the content with): repair leaves it.
    case none
  }

  /// What is wrong; the texts of store-semantics 22.3 where the reference finds it too.
  public let message: String
  /// What kind of problem it is.
  public let code: StorageError.Code
  /// What repair does.
  public let remedy: Remedy

  init(_ code: StorageError.Code, _ message: String, _ remedy: Remedy = .deletion) {
    self.message = message
    self.code = code
    self.remedy = remedy
  }
}

/// What a check found.
public struct CheckReport: Sendable {
  /// Something with problems.
  public struct Item: Sendable {
    /// The identifier.
    public let id: String
    /// The problems, at least one; those of what it is built on included.
    public internal(set) var findings: [CheckFinding]
  }

  /// Layers of the graph root and the image store, and layers that only the driver has.
  public internal(set) var layers: [Item] = []
  /// Layers of additional stores.
  public internal(set) var readOnlyLayers: [Item] = []
  /// Images of the graph root and the image store.
  public internal(set) var images: [Item] = []
  /// Images of additional stores.
  public internal(set) var readOnlyImages: [Item] = []
  /// Containers.
  public internal(set) var containers: [Item] = []
  /// Record files that are damaged or lost records, and those that were restored. As long as there are some of the former,
  /// nothing else is judged: everything would look unused or damaged.
  public internal(set) var recordLosses: [RecordLoss] = []
  /// Whether record files could not be read, so that nothing else was judged.
  public internal(set) var isPartial = true
  /// What belongs to nothing, but for trees of layers, which are among ``layers``.
  public internal(set) var leftovers = LeftoverReport()
  /// How the damaged objects looked, so that repair deletes only what was checked.
  var evidence = CheckEvidence()

  init(recordLosses: [RecordLoss]) { self.recordLosses = recordLosses }

  /// Whether no layer, image or container has a problem, and no record file.
  public var isHealthy: Bool {
    !recordLosses.contains(where: \.isPending) && layers.isEmpty && readOnlyLayers.isEmpty && images.isEmpty
      && readOnlyImages.isEmpty && containers.isEmpty
  }
}

/// The state of damaged objects when they were checked.
struct CheckEvidence: Sendable {
  var layers: [LayerID: LayerState] = [:]
  var images: [ImageID: ImageRecord] = [:]
  var containers: [ContainerID: ContainerRecord] = [:]
  /// Damaged layers below an image.
  var layersBelow: [ImageID: [LayerID]] = [:]
  /// Layers that only the driver has.
  var unaccounted: Set<String> = []
}
