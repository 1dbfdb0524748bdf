// SPDX-License-Identifier: Apache-2.0

package import StowageCompression
internal import StowageModel

/// Where the bytes of a diff come from.
public struct LayerInput {
  package enum Origin {
    case descriptor(CInt)
    case file(String)
    case bytes([UInt8])
    case source(any ByteSource)
  }

  package let origin: Origin

  /// Reads an open descriptor to its end; the caller closes it.
  public static func descriptor(_ descriptor: CInt) -> LayerInput { LayerInput(origin: .descriptor(descriptor)) }
  /// Reads a file.
  public static func file(_ path: String) -> LayerInput { LayerInput(origin: .file(path)) }
  /// Takes bytes in memory.
  public static func bytes(_ bytes: [UInt8]) -> LayerInput { LayerInput(origin: .bytes(bytes)) }
  /// Reads a source of this package.
  package static func source(_ source: any ByteSource) -> LayerInput { LayerInput(origin: .source(source)) }
}

/// Where the bytes of a diff go to.
public struct LayerOutput {
  package enum Destination {
    case descriptor(CInt)
    case sink(any ByteSink)
  }

  package let destination: Destination

  /// Writes to an open descriptor; the caller closes it.
  public static func descriptor(_ descriptor: CInt) -> LayerOutput { LayerOutput(destination: .descriptor(descriptor)) }
  /// Writes to a sink of this package, which is not finished.
  package static func sink(_ sink: any ByteSink) -> LayerOutput { LayerOutput(destination: .sink(sink)) }
}

/// A difference between two layers at one path.
public struct LayerChange: Hashable, Sendable {
  /// What happened to the path; raw values as in the reference's JSON.
  public enum Kind: Int, Sendable {
    /// Content or attributes differ.
    case modify = 0
    /// Only the newer layer has the path.
    case add = 1
    /// Only the older layer has the path.
    case delete = 2
  }

  /// The absolute path within the layer, as bytes.
  public let path: [UInt8]
  /// What happened.
  public let kind: Kind

  /// States a change.
  public init(path: [UInt8], kind: Kind) {
    self.path = path
    self.kind = kind
  }
}

/// A layer just put, with the size of its content.
public struct PutLayer: Sendable {
  /// The layer.
  public let layer: LayerInfo
  /// Bytes of content extracted, -1 if there was no diff.
  public let size: Int64
}
