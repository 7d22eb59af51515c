<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- sms.xsl: the SMS with the code: a sentence, and a last line from which phones fill in the code,
     on that host only. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns:m="urn:mod_esign:text" exclude-result-prefixes="m">

  <xsl:output method="text" encoding="UTF-8"/>

  <xsl:template match="message">
    <xsl:value-of select="m:text('sms.code', string(@organization), string(code))"/>
    <xsl:if test="origin/@host">
      <xsl:value-of select="concat('&#10;@', origin/@host, ' #', code)"/>
    </xsl:if>
  </xsl:template>

</xsl:stylesheet>
