// ProxyEngine
