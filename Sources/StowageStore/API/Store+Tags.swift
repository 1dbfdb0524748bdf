// SPDX-License-Identifier: Apache-2.0

internal import StowageImage
public import StowageModel
internal import StowageRecords

/// A name that went from one image to another.
public struct MovedName: Hashable, Sendable {
  /// The name.
  public let name: String
  /// The image that had it.
  public let from: ImageID
  /// Whether that image has no name any more.
  public let isLast: Bool
}

extension Store {
  /// Gives an image more names, in front of those it has. A name that another image has moves.
  ///
  /// - Parameter names: as people write them: without a registry they get `localhost/`, without a tag `:latest`.
  /// - Returns: the names that moved.
  /// - Throws: `invalidReference`, with nothing changed, for a text that is no name; `imageUnknown`.
  @discardableResult
  public func tag(_ image: ImageID, _ names: [String]) throws(StorageError) -> [MovedName] {
    let whole = try names.wholeImageNames()
    return try write([.images]) { (access) throws(StorageError) in
      let view = access.images.view
      var taken: [ImageID: [String]] = [:]
      for record in view.tables.flatMap(\.records) where record.id != image {
        let lost = record.names.filter { name in whole.contains { $0.hasSameBytes(as: name) } }
        if !lost.isEmpty, view.ownRecord(record.id) != nil { taken[record.id] = lost }
      }
      guard try access.rename(image.rawValue, .add(whole)) != nil else {
        throw StorageError(.imageUnknown, "image \(image.rawValue.prefix(12)) is gone", subject: image.rawValue)
      }
      return whole.compactMap { name in
        guard let (owner, lost) = taken.first(where: { $0.value.contains(name) }) else { return nil }
        return MovedName(name: name, from: owner, isLast: view.ownRecord(owner)?.names.count == lost.count)
      }
    }
  }

  /// Takes names off an image. It stays, even without any.
  ///
  /// - Parameter names: completed as ``tag(_:_:)`` does, unless the image has just this name.
  /// - Throws: `invalidNameOperation`, with nothing changed, if the image does not have one of them; `invalidReference`;
  ///   `imageUnknown`.
  public func untag(_ image: ImageID, _ names: [String]) throws(StorageError) {
    let known = try images.find(image.rawValue).record.names
    var whole: [String] = []
    for name in names {
      whole += known.contains { $0.hasSameBytes(as: name) } ? [name] : try [name].wholeImageNames()
    }
    try removeNames(whole, of: image, canBeLast: true)
  }

  /// Takes all names off an image.
  public func untagAll(_ image: ImageID) throws(StorageError) {
    try write([.images]) { (access) throws(StorageError) in
      guard try access.rename(image.rawValue, .set([])) != nil else {
        throw StorageError(.imageUnknown, "image \(image.rawValue.prefix(12)) is gone", subject: image.rawValue)
      }
    }
  }
}

extension [String] {
  /// Names of images made whole.
  ///
  /// - Throws: `invalidReference` for the first text that is none, or that has a digest in place of a tag.
  fileprivate func wholeImageNames() throws(StorageError) -> [String] {
    var names: [String] = []
    for text in self {
      let name = try ImageName(normalizing: text)
      if name.digest != nil {
        throw StorageError(
          .invalidReference, "image name \(goQuoted(text)): a digest is not a name to give; use a tag", subject: text)
      }
      names.append(name.description)
    }
    return withoutRepeats(names)
  }
}

extension ImageOperations {
  /// Makes sure that a text can be the name of an image.
  ///
  /// - Throws: `invalidReference`.
  public static func requireName(_ text: String) throws(StorageError) { _ = try ImageName(normalizing: text) }
}
