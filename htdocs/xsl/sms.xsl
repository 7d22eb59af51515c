<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- sms.xsl: the SMS with the code, one line. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:m="urn:mod_esign:text" exclude-result-prefixes="m">

  <xsl:output method="text" encoding="UTF-8"/>

  <xsl:template match="message"><xsl:value-of select="m:text('sms.code', string(@organization), string(code))"/></xsl:template>

</xsl:stylesheet>
