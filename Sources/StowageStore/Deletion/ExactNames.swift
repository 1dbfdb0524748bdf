// SPDX-License-Identifier: Apache-2.0

internal import StowageImage
internal import StowageModel
internal import StowageRecords

/// Images and containers chosen by exact names and whole identifiers: what is deleted must not be guessed.
struct ExactNames {
  /// An image, the names that it is to lose, and how it was named first. It goes if it loses all.
  struct Choice {
    let argument: String
    let image: ImageRecord
    var lost: [String]
  }

  private let view: ImagesView
  private let known: [ContainerRecord]
  private(set) var containers: [(argument: String, container: ContainerRecord)] = []
  private(set) var images: [Choice] = []

  init(_ view: ImagesView, _ containers: [ContainerRecord]) {
    self.view = view
    known = containers
  }

  /// Adds what an argument names.
  ///
  /// - Parameter force: an image that is named by its identifier goes whatever names it has.
  /// - Throws: `imageUnknown`; `readOnlyStore`; `usage` for what is not clear.
  mutating func add(_ argument: String, force: Bool) throws(StorageError) {
    let container = known.first { record in
      record.id.rawValue.hasSameBytes(as: argument) || record.names.contains { $0.hasSameBytes(as: argument) }
    }
    let byID = ImageID(recorded: argument).flatMap { view.ownRecord($0) }
    let image = byID ?? view.ownOwner(ofName: argument)
    switch (container, image) {
    case (let container?, nil):
      if !containers.contains(where: { $0.container.id == container.id }) { containers.append((argument, container)) }
    case (nil, let image?): try add(image, argument, isID: byID != nil, force: force)
    case (_?, _?):
      throw StorageError(
        .usage, "\(goQuoted(argument)) names a container and an image: say which by its ID", subject: argument)
    case (nil, nil): throw missing(argument)
    }
  }

  private mutating func add(
    _ image: ImageRecord, _ argument: String, isID: Bool, force: Bool
  ) throws(StorageError) {
    if isID, image.names.count > 1, !force {
      throw StorageError(
        .usage,
        "image \(image.id.rawValue.prefix(12)) has \(image.names.count) names (\(image.names.joined(separator: ", "))): "
          + "name those that are to go, or use --force to delete it with all", subject: argument)
    }
    let lost = isID ? image.names : [argument]
    guard let index = images.firstIndex(where: { $0.image.id == image.id }) else {
      return images.append(Choice(argument: argument, image: image, lost: lost))
    }
    images[index].lost = withoutRepeats(images[index].lost + lost)
  }

  /// What is said of a name that nothing has, with what may be meant.
  private func missing(_ argument: String) -> StorageError {
    let records = view.tables.flatMap(\.records)
    if records.contains(where: { $0.id.rawValue == argument || $0.names.contains(argument) }) {
      return StorageError(
        .readOnlyStore, "image \(goQuoted(argument)) is in an additional image store, which is never changed",
        subject: argument)
    }
    // What is no name of an image may be the beginning of an identifier all the same.
    let whole = (try? ImageName(normalizing: argument))?.description
    var meant = whole.flatMap { view.ownOwner(ofName: $0) == nil ? nil : [$0] } ?? []
    if argument.utf8.count >= 3 {
      meant += (records.map(\.id.rawValue) + known.map(\.id.rawValue)).filter { $0.utf8.starts(with: argument.utf8) }
    }
    meant += namesLike(argument, among: records.flatMap(\.names))
    return StorageError(
      .imageUnknown, "no image or container has exactly the name or ID \(goQuoted(argument))\(question(meant))",
      subject: argument)
  }
}
