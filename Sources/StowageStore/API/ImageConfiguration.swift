// SPDX-License-Identifier: Apache-2.0

internal import StowageImage
public import StowageModel

/// What an image says about itself in its configuration. What is not said, or has another form than it should, is empty.
public struct ImageConfiguration: Sendable {
  /// One step of how the image was made.
  public struct Step: Sendable {
    /// A layer that no step tells of.
    static let untold = Step(created: nil, createdBy: "", comment: "", hasNoLayer: false)

    /// When; nil if the step does not say.
    public let created: Timestamp?
    /// The command.
    public let createdBy: String
    /// A remark.
    public let comment: String
    /// Whether the step made no layer.
    public let hasNoLayer: Bool
  }

  /// The configuration as it is stored.
  public let document: JSONValue
  /// The media type of the image's manifest; empty if the manifest does not say.
  public let manifestType: String

  /// Takes a configuration as it is stored.
  public init(document: JSONValue, manifestType: String = "") {
    self.document = document
    self.manifestType = manifestType
  }

  /// When the image was made.
  public var created: Timestamp? { document["created"]?.string.flatMap { Timestamp(parsing: $0) } }
  /// Who made it.
  public var author: String { text("author") }
  /// The operating system it is for, for instance `linux`.
  public var os: String { text("os") }
  /// The processor it is for, for instance `amd64`.
  public var architecture: String { text("architecture") }
  /// How containers are run: `Env`, `Entrypoint`, `Cmd`, `User`, `WorkingDir`, `ExposedPorts` and so on, as stored.
  public var settings: JSONValue { document["config"].flatMap { $0.object == nil ? nil : $0 } ?? .object([]) }
  /// Labels by name.
  public var labels: [String: String] {
    (settings["Labels"]?.object ?? []).reduce(into: [:]) { $0[$1.name] = $1.value.string ?? "" }
  }
  /// Digests of the uncompressed layers, base layer first.
  public var diffIDs: [String] { (document["rootfs"]?["diff_ids"]?.array ?? []).compactMap(\.string) }
  /// The steps, oldest first.
  public var history: [Step] {
    (document["history"]?.array ?? []).map { step in
      Step(
        created: step["created"]?.string.flatMap { Timestamp(parsing: $0) },
        createdBy: step["created_by"]?.string ?? "", comment: step["comment"]?.string ?? "",
        hasNoLayer: step["empty_layer"]?.bool ?? false)
    }
  }

  /// The steps with the layers that they made, oldest first. Where there are more layers than steps that made one, the rest
  /// has steps that say nothing; where there are less, the last steps have none.
  ///
  /// - Parameter layers: the image's layers, base layer first.
  public func history(of layers: [LayerID]) -> [(step: Step, layer: LayerID?)] {
    var rest = layers[...]
    let told = history.map { (step: $0, layer: $0.hasNoLayer ? nil : rest.popFirst()) }
    return told + rest.map { (step: Step.untold, layer: $0) }
  }

  /// Says nothing.
  public static let empty = ImageConfiguration(document: .object([]))

  private func text(_ name: String) -> String { document[name]?.string ?? "" }
}

extension ImageOperations {
  /// The configuration of an image; nil if it has none that can be read: images made by hand have no manifest.
  ///
  /// - Throws: `imageUnknown`.
  public func configuration(of nameOrID: String) throws(StorageError) -> ImageConfiguration? {
    try configuration(of: try find(nameOrID).record)
  }

  /// The same for a record that was read.
  public func configuration(of image: ImageRecord) throws(StorageError) -> ImageConfiguration? {
    var keys: [String] = []
    let manifest = try item("manifest", of: image)
    if let config = manifest?["config"]?["digest"]?.string { keys.append(config) }
    // The identifier of an image is nearly always the digest of its configuration.
    keys.append("sha256:\(image.id)")
    for key in keys {
      if let document = try item(key, of: image) {
        return ImageConfiguration(document: document, manifestType: manifest?["mediaType"]?.string ?? "")
      }
    }
    return nil
  }

  /// A big data item that is a JSON object; nil if there is none of that name, or it is something else.
  private func item(_ key: String, of image: ImageRecord) throws(StorageError) -> JSONValue? {
    guard image.bigDataNames.contains(key) else { return nil }
    let bytes: [UInt8]
    do throws(StorageError) { bytes = try bigData(key, of: image.id.rawValue) } catch {
      if error.code == .imageDataMissing { return nil }
      throw error
    }
    do throws(RecordParseError) {
      let value = try JSONDocument.parse(bytes)
      return value.object == nil ? nil : value
    } catch {
      Log.warning("image \(image.id): item \(goQuoted(key)) is no JSON: \(error)")
      return nil
    }
  }
}
