// SPDX-License-Identifier: Apache-2.0

public import StowageModel

/// How to open a store. Empty texts mean "not given".
///
/// Source: configuration-and-idmaps 4 and 6.
public struct StoreOptions: Hashable, Sendable {
  /// Directory for what need not survive a reboot.
  public var runRoot = ""
  /// Directory of the store.
  public var graphRoot = ""
  /// Separate directory for image layers and records; empty: all in the graph root.
  public var imageStore = ""
  /// Graph driver; empty: choose.
  public var driverName = ""
  /// Drivers to try, in order, when none is named; empty: the built-in order.
  public var driverPriority: [String] = []
  /// `[driver.]name=value`, in order; of a repeated single-valued option the last one counts.
  public var driverOptions: [String] = []
  /// User ID map for new layers. Not settable by files.
  public var uidMap: [IDMapping] = []
  /// Group ID map for new layers.
  public var gidMap: [IDMapping] = []
  /// User whose subordinate IDs automatic user namespaces take; empty: `containers`.
  public var rootAutoUserNSUser = ""
  /// Smallest automatic user namespace, in IDs; 0: 1024.
  public var autoUserNSMinSize: UInt32 = 0
  /// Greatest automatic user namespace, in IDs; 0: 65536.
  public var autoUserNSMaxSize: UInt32 = 0
  /// Settings of the image library; nil if never set.
  public var pullOptions: [String: String]?
  /// Never mount containers with the volatile option.
  public var disableVolatile = false
  /// Keep programs that know nothing of other graph roots from deleting what this one needs in the image store, by a layer
  /// without content over each such layer (`pin_layers` in `[storage.options]`; the reference ignores it).
  public var pinsLayers = false
  /// Keep container records in the run root.
  public var transientStore = false
  /// How long to wait for a lock that another process or thread holds; nil: for ever.
  public var lockTimeout: Duration?

  /// Nothing given.
  public init() {}

  /// Nothing given but these.
  public init(graphRoot: String, runRoot: String, driverName: String = "", driverOptions: [String] = []) {
    self.graphRoot = graphRoot
    self.runRoot = runRoot
    self.driverName = driverName
    self.driverOptions = driverOptions
  }

  /// The JSON that `config` prints, without a line feed (configuration-and-idmaps 4.4).
  public func json() -> [UInt8] {
    var writer = JSONWriter(.output)
    writer.beginObject()
    for (name, text) in [("runroot", runRoot), ("root", graphRoot), ("imagestore", imageStore), ("driver", driverName)]
    where !text.isEmpty {
      writer.name(name)
      writer.string(text)
    }
    write("driver-priority", driverPriority, &writer)
    write("driver-options", driverOptions, &writer)
    write("uidmap", uidMap, &writer)
    write("gidmap", gidMap, &writer)
    if !rootAutoUserNSUser.isEmpty {
      writer.name("root_auto_ns_user")
      writer.string(rootAutoUserNSUser)
    }
    for (name, size) in [("auto_userns_min_size", autoUserNSMinSize), ("auto_userns_max_size", autoUserNSMaxSize)]
    where size != 0 {
      writer.name(name)
      writer.integer(size)
    }
    writePullOptions(&writer)
    for (name, flag) in [("disable-volatile", disableVolatile), ("transient_store", transientStore)] where flag {
      writer.name(name)
      writer.bool(true)
    }
    writer.endObject()
    return writer.bytes
  }

  private func writePullOptions(_ writer: inout JSONWriter) {
    writer.name("PullOptions")
    guard let pullOptions else { return writer.null() }
    var table = KeyedValues<String>()
    for (key, value) in pullOptions { table[key] = value }
    writer.table(table) { (writer, value) in writer.string(value) }
  }

  private func write(_ name: String, _ texts: [String], _ writer: inout JSONWriter) {
    if texts.isEmpty { return }
    writer.name(name)
    writer.beginArray()
    for text in texts { writer.string(text) }
    writer.endArray()
  }

  private func write(_ name: String, _ map: [IDMapping], _ writer: inout JSONWriter) {
    if map.isEmpty { return }
    writer.name(name)
    writer.beginArray()
    for range in map {
      writer.beginObject()
      for (name, value) in [("container_id", range.containerID), ("host_id", range.hostID), ("size", range.size)] {
        writer.name(name)
        writer.integer(value)
      }
      writer.endObject()
    }
    writer.endArray()
  }
}
