// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// A kind of object that carries big data items: layers, images or containers of a store.
protocol DataItemHolder: SendableMetatype {
  /// The object meant by a name, identifier or prefix: its identifier, and the keys of its items in the order in which
  /// they were first set.
  func itemKeys(of nameOrID: String) throws(StorageError) -> (id: String, keys: [String])
  func bigData(_ key: String, of nameOrID: String) throws(StorageError) -> [UInt8]
  func setBigData(_ key: String, bytes: [UInt8], of nameOrID: String) throws(StorageError)
}

/// A kind of object whose items have recorded sizes and digests.
protocol MeasuredDataItemHolder: DataItemHolder {
  func bigDataSize(_ key: String, of nameOrID: String) throws(StorageError) -> Int64
  func bigDataDigest(_ key: String, of nameOrID: String) throws(StorageError) -> Digest
}

extension LayerOperations: DataItemHolder {
  func itemKeys(of nameOrID: String) throws(StorageError) -> (id: String, keys: [String]) {
    let record = try find(nameOrID).record
    return (record.id.rawValue, record.bigDataNames)
  }
}

extension ImageOperations: MeasuredDataItemHolder {
  func setBigData(_ key: String, bytes: [UInt8], of nameOrID: String) throws(StorageError) {
    try setBigData(key, bytes: bytes, of: nameOrID, digest: nil)
  }

  func itemKeys(of nameOrID: String) throws(StorageError) -> (id: String, keys: [String]) {
    let record = try find(nameOrID).record
    return (record.id.rawValue, record.bigDataNames)
  }
}

extension ContainerOperations: MeasuredDataItemHolder {
  func itemKeys(of nameOrID: String) throws(StorageError) -> (id: String, keys: [String]) {
    let record = try find(nameOrID)
    return (record.id.rawValue, record.bigDataNames)
  }
}
