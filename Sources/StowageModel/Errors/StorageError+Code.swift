// SPDX-License-Identifier: Apache-2.0

extension StorageError {
  /// What kind of failure an error is. New codes may appear in any version.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    private enum Value: String {
      case containerUnknown
      case imageUnknown
      case layerUnknown
      case parentUnknown
      case ambiguous
      case duplicateID
      case duplicateName
      case duplicateImageNames
      case duplicateLayerNames
      case layerHasChildren
      case layerUsedByImage
      case layerUsedByContainer
      case imageUsedByContainer
      case layerNotMounted
      case notAContainer
      case notALayer
      case notAnImage
      case notAnID
      case parentIsContainer
      case readOnlyStore
      case loadFailure
      case sizeUnknown
      case digestUnknown
      case invalidBigDataName
      case incompleteOptions
      case notSupported
      case invalidMappings
      case noAvailableIDs
      case invalidNameOperation
      case layerUnaccounted
      case layerUnreferenced
      case layerIncorrectContentDigest
      case layerIncorrectContentSize
      case layerContentModified
      case layerDataMissing
      case layerMissing
      case imageLayerMissing
      case imageDataMissing
      case imageDataIncorrectSize
      case containerImageMissing
      case containerDataMissing
      case containerDataIncorrectSize
      case unsupportedDriver
      case prerequisites
      case incompatibleFileSystem
      case driverLayerUnknown
      case driverLayerExists
      case invalidOption
      case corrupt
      case invalidArchive
      case digestMismatch
      case invalidIdentifier
      case invalidDigest
      case invalidReference
      case configuration
      case busy
      case mountFailed
      case system
      case cancelled
      case usage
    }

    private let value: Value
    private init(_ value: Value) { self.value = value }

    /// The code's own name, for instance `layerUnknown`.
    public var description: String { value.rawValue }

    /// No container has the identifier or name.
    public static let containerUnknown = Code(.containerUnknown)
    /// No image has the identifier, name or digest.
    public static let imageUnknown = Code(.imageUnknown)
    /// No layer has the identifier or name.
    public static let layerUnknown = Code(.layerUnknown)
    /// A layer's parent is not recorded.
    public static let parentUnknown = Code(.parentUnknown)
    /// A short name or the beginning of an identifier stands for more than one object.
    public static let ambiguous = Code(.ambiguous)
    /// The identifier for a new object is taken.
    public static let duplicateID = Code(.duplicateID)
    /// A name for a new object is taken.
    public static let duplicateName = Code(.duplicateName)
    /// An additional image store gives one name to two images.
    public static let duplicateImageNames = Code(.duplicateImageNames)
    /// An additional image store gives one name to two layers.
    public static let duplicateLayerNames = Code(.duplicateLayerNames)
    /// The layer is the parent of another one.
    public static let layerHasChildren = Code(.layerHasChildren)
    /// The layer is the top layer of an image.
    public static let layerUsedByImage = Code(.layerUsedByImage)
    /// The layer belongs to a container.
    public static let layerUsedByContainer = Code(.layerUsedByContainer)
    /// A container was made from the image.
    public static let imageUsedByContainer = Code(.imageUsedByContainer)
    /// The layer is not mounted.
    public static let layerNotMounted = Code(.layerNotMounted)
    /// The identifier to delete is no container.
    public static let notAContainer = Code(.notAContainer)
    /// The identifier to delete is no layer.
    public static let notALayer = Code(.notALayer)
    /// The identifier to delete is no image.
    public static let notAnImage = Code(.notAnImage)
    /// The identifier is no object of any kind.
    public static let notAnID = Code(.notAnID)
    /// The parent of a new layer belongs to a container.
    public static let parentIsContainer = Code(.parentIsContainer)
    /// The store or the part of it concerned cannot be written.
    public static let readOnlyStore = Code(.readOnlyStore)
    /// Record files cannot be loaded.
    public static let loadFailure = Code(.loadFailure)
    /// A big data item has no recorded size.
    public static let sizeUnknown = Code(.sizeUnknown)
    /// A big data item has no digest and none can be computed.
    public static let digestUnknown = Code(.digestUnknown)
    /// The key of a big data item is empty or cannot be a file name.
    public static let invalidBigDataName = Code(.invalidBigDataName)
    /// Neither graph root nor run root is known.
    public static let incompleteOptions = Code(.incompleteOptions)
    /// The operation is not available.
    public static let notSupported = Code(.notSupported)
    /// ID maps contradict each other or are malformed.
    public static let invalidMappings = Code(.invalidMappings)
    /// No range of IDs is left for an automatic user namespace.
    public static let noAvailableIDs = Code(.noAvailableIDs)
    /// A change of names is none of set, add, remove.
    public static let invalidNameOperation = Code(.invalidNameOperation)
    /// Check: the driver has a layer without record.
    public static let layerUnaccounted = Code(.layerUnaccounted)
    /// Check: a layer nobody uses.
    public static let layerUnreferenced = Code(.layerUnreferenced)
    /// Check: the content of a layer has another digest than recorded.
    public static let layerIncorrectContentDigest = Code(.layerIncorrectContentDigest)
    /// Check: the content of a layer has another size than recorded.
    public static let layerIncorrectContentSize = Code(.layerIncorrectContentSize)
    /// Check: a file of a read-only layer was changed.
    public static let layerContentModified = Code(.layerContentModified)
    /// Check: a recorded big data item of a layer is missing.
    public static let layerDataMissing = Code(.layerDataMissing)
    /// Check: a parent layer is missing.
    public static let layerMissing = Code(.layerMissing)
    /// Check: an image's layer is missing.
    public static let imageLayerMissing = Code(.imageLayerMissing)
    /// Check: a recorded big data item of an image is missing.
    public static let imageDataMissing = Code(.imageDataMissing)
    /// Check: a big data item of an image has another size than recorded.
    public static let imageDataIncorrectSize = Code(.imageDataIncorrectSize)
    /// Check: a container's image is missing.
    public static let containerImageMissing = Code(.containerImageMissing)
    /// Check: a recorded big data item of a container is missing.
    public static let containerDataMissing = Code(.containerDataMissing)
    /// Check: a big data item of a container has another size than recorded.
    public static let containerDataIncorrectSize = Code(.containerDataIncorrectSize)
    /// No such graph driver, or it does not work here.
    public static let unsupportedDriver = Code(.unsupportedDriver)
    /// The graph driver lacks something of the system.
    public static let prerequisites = Code(.prerequisites)
    /// The graph root's file system does not suit the driver.
    public static let incompatibleFileSystem = Code(.incompatibleFileSystem)
    /// The graph driver does not have the layer; not the same as `layerUnknown`.
    public static let driverLayerUnknown = Code(.driverLayerUnknown)
    /// The graph driver has a directory for a new layer already.
    public static let driverLayerExists = Code(.driverLayerExists)
    /// An option of the store, a driver or an operation is malformed or unknown.
    public static let invalidOption = Code(.invalidOption)
    /// A record file or a file beside it does not have the expected form.
    public static let corrupt = Code(.corrupt)
    /// A layer's archive is malformed.
    public static let invalidArchive = Code(.invalidArchive)
    /// Content does not have the digest it should have.
    public static let digestMismatch = Code(.digestMismatch)
    /// A text cannot be the identifier of a new object.
    public static let invalidIdentifier = Code(.invalidIdentifier)
    /// A text is no digest.
    public static let invalidDigest = Code(.invalidDigest)
    /// A text is no image name.
    public static let invalidReference = Code(.invalidReference)
    /// A configuration file is missing or malformed.
    public static let configuration = Code(.configuration)
    /// A lock or a mount point is held by somebody else.
    public static let busy = Code(.busy)
    /// The kernel or a mount program refused a mount.
    public static let mountFailed = Code(.mountFailed)
    /// A system call failed; the cause is an `Errno`.
    public static let system = Code(.system)
    /// The caller asked to stop.
    public static let cancelled = Code(.cancelled)
    /// A command line or a call makes no sense.
    public static let usage = Code(.usage)

    /// The reference text of this failure (store-semantics 2); a plain English one where the reference has none.
    public var text: String {
      switch value {
      case .containerUnknown: "container not known"
      case .imageUnknown: "image not known"
      case .layerUnknown: "layer not known"
      case .parentUnknown: "parent of layer not known"
      case .ambiguous: "more than one object may be meant"
      case .duplicateID: "that ID is already in use"
      case .duplicateName: "that name is already in use"
      case .duplicateImageNames: "read-only image store assigns the same name to multiple images"
      case .duplicateLayerNames: "read-only layer store assigns the same name to multiple layers"
      case .layerHasChildren: "layer has children"
      case .layerUsedByImage: "layer is in use by an image"
      case .layerUsedByContainer: "layer is in use by a container"
      case .imageUsedByContainer: "image is in use by a container"
      case .layerNotMounted: "layer is not mounted"
      case .notAContainer: "identifier is not a container"
      case .notALayer: "identifier is not a layer"
      case .notAnImage: "identifier is not an image"
      case .notAnID: "identifier is not a layer, image, or container"
      case .parentIsContainer: "would-be parent layer is a container"
      case .readOnlyStore: "called a write method on a read-only store"
      case .loadFailure: "error loading storage metadata"
      case .sizeUnknown: "size is not known"
      case .digestUnknown: "could not compute digest of item"
      case .invalidBigDataName: "not a valid name for a big data item"
      case .incompleteOptions: "missing necessary StoreOptions"
      case .notSupported: "not supported"
      case .invalidMappings: "invalid mappings specified"
      case .noAvailableIDs: "not enough unused IDs in user namespace"
      case .invalidNameOperation: "invalid update name operation"
      case .layerUnaccounted: "layer in lower level storage driver not accounted for"
      case .layerUnreferenced: "layer not referenced by any images or containers"
      case .layerIncorrectContentDigest: "layer content incorrect digest"
      case .layerIncorrectContentSize: "layer content incorrect size"
      case .layerContentModified: "layer content modified"
      case .layerDataMissing: "layer data item is missing"
      case .layerMissing: "layer is missing"
      case .imageLayerMissing: "image layer is missing"
      case .imageDataMissing: "image data item is missing"
      case .imageDataIncorrectSize: "image data item has incorrect size"
      case .containerImageMissing: "image missing"
      case .containerDataMissing: "container data item is missing"
      case .containerDataIncorrectSize: "container data item has incorrect size"
      case .unsupportedDriver: "driver not supported"
      case .prerequisites: "prerequisites for driver not satisfied (wrong filesystem?)"
      case .incompatibleFileSystem: "backing file system is unsupported for this graph driver"
      case .driverLayerUnknown: "unknown layer"
      case .driverLayerExists: "layer exists"
      case .invalidOption: "invalid option"
      case .corrupt: "stored data is corrupt"
      case .invalidArchive: "invalid archive"
      case .digestMismatch: "digest mismatch"
      case .invalidIdentifier: "invalid identifier"
      case .invalidDigest: "invalid checksum digest format"
      case .invalidReference: "invalid reference format"
      case .configuration: "invalid configuration"
      case .busy: "resource busy"
      case .mountFailed: "mount failed"
      case .system: "system error"
      case .cancelled: "cancelled"
      case .usage: "invalid use"
      }
    }
  }
}
