// SPDX-License-Identifier: Apache-2.0

internal import StowageImage
public import StowageModel

/// Finds objects as people name them: by name, by short name of an image, by the beginning of an identifier.
///
/// What is found in this order is taken: an exact name or identifier; the beginning of an identifier as listings show it, 12 digits
/// or more; for images a short name; any other beginning of an identifier. Short names are looked for as the whole names that they
/// stand for, then with `localhost/`, then with `docker.io/library/`, then as the end of a name (`two` finds
/// `quay.io/acme/two:latest`). Whatever is not unique is refused (registries 2.5).
extension StoreSnapshot {
  /// What a short name of an image stands for: whole names, in the order in which they are looked for.
  public typealias ShortNames = (_ name: String) throws(StorageError) -> [String]

  /// Short names stand for nothing.
  public static let noShortNames: @Sendable (_ name: String) throws(StorageError) -> [String] = { _ in [] }

  /// The image that is meant.
  ///
  /// - Parameter searched: the whole names that a short name stands for by the configuration of registries, in order. It is asked only
  ///   for a short name that is no exact name or identifier, and may then throw.
  /// - Throws: `imageUnknown`; `ambiguous`, with the candidates.
  public func image(
    named text: String, searched: ShortNames = noShortNames
  ) throws(StorageError) -> ImageInfo {
    guard case .image(let image) = try object(named: text, among: [.image], searched: searched) else {
      throw unknown(text, [.image])
    }
    return image
  }

  /// The container that is meant.
  ///
  /// - Throws: `containerUnknown`; `ambiguous`, with the candidates.
  public func container(named text: String) throws(StorageError) -> ContainerRecord {
    guard case .container(let container) = try object(named: text, among: [.container]) else {
      throw unknown(text, [.container])
    }
    return container
  }

  /// The layer that is meant: itself, the own layer of a container, or the top layer of an image. Exact names of layers come
  /// first.
  ///
  /// - Throws: `layerUnknown`, also for an image without layers; `ambiguous`, with the candidates.
  public func layer(
    named text: String, searched: ShortNames = noShortNames
  ) throws(StorageError) -> LayerID {
    switch try object(named: text, among: [.layer, .container, .image], searched: searched) {
    case .layer(let layer): return layer.id
    case .container(let container): return container.layer
    case .image(let image):
      if let layer = image.record.layer { return layer }
      throw StorageError(.layerUnknown, "image \(goQuoted(text)) has no layer", subject: text)
    }
  }

  /// The object that is meant.
  ///
  /// - Parameters:
  ///   - kinds: what it may be. Of exact names the kind that comes first is taken.
  ///   - searched: as for ``image(named:searched:)``.
  /// - Throws: the code of the first kind for what is unknown; `ambiguous`, with the candidates.
  public func object(
    named text: String, among kinds: [StoredObject.Kind] = [.container, .image, .layer],
    searched: ShortNames = noShortNames
  ) throws(StorageError) -> StoredObject {
    for kind in kinds {
      let exact = objects(kind).first { object in
        object.id.hasSameBytes(as: text) || object.names.contains { $0.hasSameBytes(as: text) }
      }
      if let exact { return exact }
    }
    let prefix = text.hasPrefix("sha256:") && kinds.contains(.image) ? String(text.dropFirst("sha256:".count)) : text
    let found = prefix.isEmpty ? [] : kinds.flatMap { objects($0).filter { $0.id.utf8.starts(with: prefix.utf8) } }
    // What listings show is no short name, and needs no configuration.
    let isShownID = prefix.utf8.count >= 12 && prefix.allSatisfy(\.isHexDigit)
    if isShownID, let object = try onlyOne(of: found, text) { return object }
    if kinds.contains(.image), let image = try image(shortNamed: text, searched) { return .image(image) }
    if let object = try onlyOne(of: found, text) { return object }
    throw unknown(text, kinds)
  }

  /// All objects of a kind, those of the primary store first.
  private func objects(_ kind: StoredObject.Kind) -> [StoredObject] {
    switch kind {
    case .container: containers.map { .container($0) }
    case .image: images.map { .image($0) }
    case .layer: layers.map { .layer($0) }
    }
  }

  private func image(shortNamed text: String, _ searched: ShortNames) throws(StorageError) -> ImageInfo? {
    // What is no name of an image may still be the beginning of an identifier.
    guard let name = try? ImageName(normalizing: text) else { return nil }
    let isShort = ImageName.isShort(text)
    if let digest = name.digest {
      let found = images.filter { $0.digests.contains(digest) && $0.record.hasName(of: name, orItsEnd: isShort) }
      return try onlyOne(of: found.map { .image($0) }, text)?.image
    }
    let library = name.path.contains("/") ? "" : "library/"
    let hub = isShort ? ["docker.io/\(library)\(name.path):\(name.tag ?? "latest")"] : []
    func image(_ whole: String) -> ImageInfo? { images.first { $0.record.names.contains(whole) } }
    guard isShort else { return image("\(name)") }
    if let found = (try searched(text) + ["\(name)"] + hub).lazy.compactMap(image).first { return found }
    let end = "/\(name.path):\(name.tag ?? "latest")"
    let found = images.filter { $0.record.names.contains { $0.utf8.reversed().starts(with: end.utf8.reversed()) } }
    return try onlyOne(of: found.map { .image($0) }, text)?.image
  }

  /// The only one found, nil if none is. What several stores have is one.
  private func onlyOne(of found: [StoredObject], _ text: String) throws(StorageError) -> StoredObject? {
    var seen: Set<String> = []
    let different = found.filter { seen.insert("\($0.kind) \($0.id)").inserted }
    guard different.count > 1 else { return different.first }
    var candidates = different.prefix(5).map { object in
      "\(object.kind) \(object.id.prefix(12))" + (object.names.first.map { " (\(goQuoted($0)))" } ?? "")
    }
    if different.count > candidates.count { candidates.append("\(different.count - candidates.count) more") }
    throw StorageError(
      .ambiguous,
      "\(goQuoted(text)) may be any of: \(candidates.joined(separator: ", ")); say which by a longer name or ID",
      subject: text)
  }

  private func unknown(_ text: String, _ kinds: [StoredObject.Kind]) -> StorageError {
    let code: StorageError.Code =
      switch kinds.first {
      case .container: .containerUnknown
      case .image: .imageUnknown
      case .layer, nil: .layerUnknown
      }
    let what = kinds.map(\.rawValue).joined(separator: " or ")
    let hint = kinds.contains(.image) ? question(imagesLike(text)) : ""
    return StorageError(code, "no \(what) has the name or ID \(goQuoted(text))\(hint)", subject: text)
  }

  /// Names of images that may be meant by one that no image has: the same repository, or the end of one, with another tag.
  private func imagesLike(_ text: String) -> [String] { namesLike(text, among: images.flatMap(\.record.names)) }
}

/// The names among some that may be meant by one that is not among them: the same repository, or the end of one, with another tag.
func namesLike(_ text: String, among names: some Sequence<String>) -> [String] {
  // What is no name of an image is like none.
  guard let name = try? ImageName(normalizing: text) else { return [] }
  let isShort = ImageName.isShort(text)
  let like = names.filter { known in
    // Names of damaged records need not be names.
    guard let other = try? ImageName(normalizing: known) else { return false }
    if other.domain == name.domain, other.path == name.path { return true }
    return isShort && "/\(other.path)".hasSuffix("/\(name.path)")
  }
  return like.sorted { $0.precedesByBytes($1) }
}

/// `; did you mean a, b or c?`, or nothing.
func question(_ names: [String]) -> String {
  var shown = withoutRepeats(names).prefix(3).map { $0 }
  guard let last = shown.popLast() else { return "" }
  return "; did you mean \(shown.isEmpty ? "" : shown.joined(separator: ", ") + " or ")\(last)?"
}

extension StoredObject {
  fileprivate var image: ImageInfo? { if case .image(let image) = self { image } else { nil } }
}

extension ImageRecord {
  /// Whether a name has the repository of another one, or ends with its path.
  fileprivate func hasName(of other: ImageName, orItsEnd isShort: Bool) -> Bool {
    names.contains { text in
      // Names of damaged records need not be names.
      guard let name = try? ImageName(normalizing: text) else { return false }
      return isShort
        ? "/\(name.path)".hasSuffix("/\(other.path)") : name.domain == other.domain && name.path == other.path
    }
  }
}
