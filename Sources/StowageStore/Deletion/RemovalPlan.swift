// SPDX-License-Identifier: Apache-2.0

public import StowageModel

/// Images and containers that are to go, with all that goes with them; see ``Store/planRemoval(of:force:)`` and
/// ``Store/remove(_:)``.
public struct RemovalPlan: Sendable {
  /// What is removed.
  public enum Subject: Sendable {
    /// A container.
    case container(ContainerRecord)
    /// An image.
    case image(ImageRecord)

    /// The identifier.
    public var id: String {
      switch self {
      case .container(let record): record.id.rawValue
      case .image(let record): record.id.rawValue
      }
    }
  }

  /// What happens to one object.
  public struct Step: Sendable {
    /// The object as it was when this was planned.
    public let subject: Subject
    /// The names that it loses.
    public let names: [String]
    /// Whether it goes; else it only loses these names, and others are left.
    public let isDeleted: Bool
    /// The layers that go with it, in order.
    public internal(set) var layers: [LayerID]
    /// What its deletion gives back to the file system, in bytes, when those before it are done.
    public internal(set) var bytes: Int64 = 0
    /// The bytes of each of ``layers``, and those of its own data.
    var layerBytes: [LayerID: Int64] = [:]
    var dataBytes: Int64 = 0
  }

  /// Something that cannot be removed.
  public struct Refusal: Sendable {
    /// As it was named.
    public let argument: String
    /// Why: `imageUnknown` if there is no such object, `imageUsedByContainer`, `busy`, `layerHasChildren` and `layerUsedByImage` if
    /// it is in use, others.
    public let error: StorageError

    /// Whether there is no such object.
    public var isMissing: Bool { error.code == .imageUnknown }
    /// Whether something uses it.
    public var isInUse: Bool {
      [.imageUsedByContainer, .busy, .layerHasChildren, .layerUsedByImage, .layerUsedByContainer].contains(error.code)
    }
  }

  /// What is done, in order: containers come before images.
  public internal(set) var steps: [Step] = []
  /// What cannot be removed.
  public internal(set) var refusals: [Refusal] = []
  /// Whether mounted containers go, too, and what other graph roots need.
  let isForced: Bool

  /// Takes what is not there for removed.
  public mutating func dropMissing() { refusals.removeAll(where: \.isMissing) }

  /// What all of it gives back to the file system, measured when this was planned. A file that is nowhere else counts once.
  public var bytes: Int64 { steps.reduce(0) { $0 + $1.bytes } }
}

/// What became of a ``RemovalPlan``.
public struct RemovalReport: Sendable {
  /// What was done.
  public internal(set) var done: [RemovalPlan.Step] = []
  /// What could not be done, because things changed since it was planned, or of a failure.
  public internal(set) var refusals: [RemovalPlan.Refusal] = []

  /// What was given back to the file system. Layers that others began to use are not in it.
  public var bytes: Int64 { done.reduce(0) { $0 + $1.bytes } }
}
